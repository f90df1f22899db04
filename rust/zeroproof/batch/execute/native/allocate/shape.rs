//! How the vectors of a turn are put together, and how many registers that takes.

use super::super::encoder::{Encoder, Order, Turns};
use super::super::steps::{Doubt, Flags, Id, Place, Step, Steps};

/// How the steps of the vectors of a turn are put together, and how many sums there are.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    pub(super) turns: Turns,
    pub(super) totals: usize,
    /// Step and vector, in order.
    pub(super) order: Vec<(u32, u8)>,
    /// The most values that are alive at once and not in memory: vectors and masks.
    pub(super) pressure: [usize; 2],
}

/// By step: the end of the guard that it begins, or itself if it is behind one; `None` if neither.
fn guards(steps: &Steps) -> Vec<Option<usize>> {
    let (mut guards, mut begin) = (vec![None; steps.steps.len()], None);
    for (number, step) in steps.steps.iter().enumerate() {
        if let Step::Guard { .. } = step {
            begin = Some(number);
        }
        if let Some(first) = begin {
            guards[number] = Some(number);
            if let Step::GuardEnd = step {
                guards[first] = Some(number);
                begin = None;
            }
        }
    }
    guards
}

/// So many vectors, each behind the one before by a number of steps: while the one waits for its last
/// results, the next one begins.
fn interleaved(steps: &Steps, at_once: usize, behind: usize) -> Vec<(u32, u8)> {
    let (guards, mut order) = (guards(steps), vec![]);
    for time in 0..steps.steps.len() + (at_once - 1) * behind {
        for copy in 0..at_once {
            if let Some(step) = time.checked_sub(copy * behind)
                && step < steps.steps.len()
                && !matches!(steps.steps[step], Step::Load { .. })
            {
                match guards[step] {
                    None => order.push((step as u32, copy as u8)),
                    // All that is behind a guard happens at once.
                    Some(end) if end > step => {
                        order.extend((step..=end).map(|step| (step as u32, copy as u8)));
                    }
                    Some(_) => {}
                }
            }
        }
    }
    order
}

/// The values that are alive at once and not in memory, at most.
fn pressure(steps: &Steps, order: &[(u32, u8)], at_once: usize) -> [usize; 2] {
    let mut last = vec![0; steps.is_mask.len() * at_once];
    let at = |id: Id, copy: u8| id as usize * at_once + copy as usize;
    for (time, &(step, copy)) in order.iter().enumerate() {
        let reads = steps.steps[step as usize].values().0;
        reads.into_iter().flatten().for_each(|id| last[at(id, copy)] = time);
    }
    let mut in_memory = vec![false; steps.is_mask.len()];
    for step in &steps.steps {
        if let Step::Load { to, .. } = *step {
            in_memory[to as usize] = true;
        }
    }
    // What is behind a guard makes room for itself.
    let guards = guards(steps);
    for (step, guard) in steps.steps.iter().zip(&guards) {
        if let (Some(to), Some(_)) = (step.values().1, guard) {
            in_memory[to as usize] = true;
        }
    }
    let (mut alive, mut most) = ([0usize; 2], [0usize; 2]);
    for (time, &(step, copy)) in order.iter().enumerate() {
        let (reads, written) = steps.steps[step as usize].values();
        for (place, id) in reads.iter().enumerate() {
            if let &Some(id) = id
                && !reads[..place].contains(&Some(id))
                && last[at(id, copy)] == time
                && !in_memory[id as usize]
            {
                alive[usize::from(steps.is_mask[id as usize])] -= 1;
            }
        }
        if let Some(to) = written
            && guards[step as usize].is_none()
        {
            alive[usize::from(steps.is_mask[to as usize])] += 1;
        }
        most = [most[0].max(alive[0]), most[1].max(alive[1])];
    }
    most
}

pub(super) fn is_invariant(place: Place) -> bool {
    match place {
        Place::Uniform(_) | Place::Constant(_) => true,
        Place::Bound | Place::Delta | Place::Low(_) | Place::High(_) => true,
        Place::Column(_) | Place::Element(_) | Place::Slot(_) | Place::Output(_) => false,
    }
}

/// The kinds of flags that are set.
pub(super) fn flags_of(steps: &Steps) -> Vec<Flags> {
    let kinds = [Flags::Irregular, Flags::Suspect];
    let sets =
        |of: Flags| steps.steps.iter().any(|step| matches!(step, Step::Flag { kind, .. } if *kind == of));
    kinds.into_iter().filter(|&kind| sets(kind)).collect()
}

/// The kinds of doubts that there are.
pub(super) fn doubts_of(steps: &Steps) -> Vec<Doubt> {
    let kinds = [Doubt::NotReal, Doubt::Tiny];
    let has =
        |of: Doubt| steps.steps.iter().any(|step| matches!(step, Step::Doubt { kind, .. } if *kind == of));
    kinds.into_iter().filter(|&kind| has(kind)).collect()
}

pub(super) fn output_of(step: &Step) -> Option<u32> {
    match *step {
        Step::Store { place: Place::Output(number), .. } => Some(number),
        Step::StoreInRow { rows, .. } => Some(rows.number),
        _ => None,
    }
}

/// Values read from columns and slots take a register now and then.
pub(super) const FOR_LOADS: usize = 3;

impl Shape {
    /// As many vectors of these steps at once as the registers allow.
    pub fn fitting(order: Order, steps: &Steps, encoder: &impl Encoder, totals: usize) -> Self {
        let (flags, gathered) = (flags_of(steps).len(), totals + doubts_of(steps).len());
        let has_masks = encoder.masks() > 0;
        // A few stores to the frame cost less than waiting does.
        let [most_vectors, most_masks] =
            [encoder.vectors(), encoder.masks()].map(|registers| registers as usize * 3 / 2);
        // The scheduler of a processor holds the steps of two or three vectors. So the next one begins when
        // the one before is through with a quarter of its steps, which keeps both kinds of units busy.
        let quarter = steps.steps.len() / 4;
        let candidates = [(4, quarter), (2, quarter), (2, 0), (1, 0)];
        for (at_once, behind) in candidates {
            let order_of_steps = interleaved(steps, at_once, behind);
            let [vectors, masks] = pressure(steps, &order_of_steps, at_once);
            let (vectors, masks) = if has_masks { (vectors, masks) } else { (vectors + masks, 0) };
            let (of_vectors, of_masks) = if has_masks { (gathered, flags) } else { (gathered + flags, 0) };
            let fits = vectors + of_vectors + FOR_LOADS <= most_vectors && masks + of_masks <= most_masks;
            if fits || at_once == 1 {
                let (turns, pressure) = (Turns { order, at_once }, [vectors, masks]);
                return Self { turns, totals, order: order_of_steps, pressure };
            }
        }
        unreachable!("one vector at a time is always possible")
    }
}
