//! Which slot holds which virtual register.
//!
//! A register lives from its one write to its last read, and its slot is then given to another. So
//! the slots are as many as values are alive at once, which keeps a block of them in the first-level
//! cache. A slot that an instruction reads is free only after it: no instruction writes a source.

use super::code::{Code, Source};

/// Renames registers to slots throughout the code.
pub(crate) fn allocate(code: &mut Code, registers: u32) {
    const FOREVER: usize = usize::MAX;
    let mut last_read = vec![0; registers as usize];
    for (time, instruction) in code.instructions.iter_mut().enumerate() {
        let mut reads = |source: &Source| {
            if let Source::Slot(register) = source {
                last_read[*register as usize] = time;
            }
        };
        instruction.visit(|source| reads(source), |_| ());
        if let Some((start, end)) = instruction.list() {
            code.lists[start as usize..end as usize].iter().for_each(&mut reads);
        }
    }
    code.for_each_result(|source| {
        if let Source::Slot(register) = source {
            last_read[*register as usize] = FOREVER;
        }
    });

    let mut slot_of = vec![u32::MAX; registers as usize];
    let mut free: Vec<u32> = vec![];
    let mut slots = 0;
    for (time, instruction) in code.instructions.iter_mut().enumerate() {
        let mut dying = vec![];
        let mut rename = |source: &mut Source| {
            if let Source::Slot(register) = source {
                let slot = slot_of[*register as usize];
                if last_read[*register as usize] == time && !dying.contains(&slot) {
                    dying.push(slot);
                }
                *source = Source::Slot(slot);
            }
        };
        instruction.visit(&mut rename, |_| ());
        if let Some((start, end)) = instruction.list() {
            code.lists[start as usize..end as usize].iter_mut().for_each(&mut rename);
        }
        instruction.visit(
            |_| (),
            |target| {
                let slot = free.pop().unwrap_or_else(|| {
                    slots += 1;
                    slots - 1
                });
                let register = std::mem::replace(target, slot) as usize;
                slot_of[register] = slot;
                if last_read[register] <= time {
                    dying.push(slot); // nobody reads it
                }
            },
        );
        free.extend(dying);
    }
    code.for_each_result(|source| {
        if let Source::Slot(register) = source {
            *register = slot_of[*register as usize];
        }
    });
    code.slots = slots as usize;
}
