//! A program as machine code: runs of instructions that have a native form, and between them those that the
//! block interpreter carries out.
//!
//! What one part leaves to another is in the slots that the compiler gave it; all else stays in registers.

use super::allocate::{Shape, allocate};
use super::encoder::Order;
use super::expand::{Elements, Expansion, Rule};
use super::hooks::{Hook, Hooks};
use super::lanes::Rows;
use super::memory::Function;
use super::regions::Allocated;
use super::rows::{Group, groups};
use super::steps::{OF_RESULTS, Place, Step};
use super::vectors::Vectors;
use super::x86::X86;
use crate::batch::compile::code::{Instruction, Source, Uniform};
use crate::batch::compile::plan::Plan;
use crate::room;
use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::rc::Rc;
use std::sync::OnceLock;
use std::sync::atomic::AtomicU32;

/// What a kernel does with the results of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Results {
    /// Leaves them in slots.
    InSlots,
    /// Writes those that take an array alone to that array.
    Written,
    /// The same, and adds up the totals.
    AddedUp,
}

/// What a kernel tells of samples that are not regular.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tells {
    /// Whether there may be any in the block, which costs next to nothing.
    Whether,
    /// Which they are.
    Which,
}

/// What the code of a program depends on besides the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    pub vectors: Vectors,
    pub rule: Rule,
    /// Whether distances to poles are asked for.
    pub measures: bool,
    /// By array of values: how many outputs it has.
    pub value_widths: Vec<usize>,
}

/// Code for a run of instructions.
#[derive(Debug)]
pub(crate) struct Piece {
    pub function: Function,
}

#[derive(Debug)]
pub(crate) enum Part {
    Native(Piece),
    Interpreted(Range<usize>),
}

/// The parts of a program for one treatment of the results.
#[derive(Debug)]
pub(crate) struct Kernel {
    pub parts: Vec<Part>,
    pub elements: Loaded,
    /// By output and derivative: whether it is written to the caller's array.
    pub written: Vec<bool>,
    pub tells: Tells,
}

/// A program as machine code, made when it is first needed.
#[derive(Debug)]
pub(crate) struct NativeProgram {
    pub key: Key,
    /// By treatment of the results: those that only tell whether some sample of the block is not regular, then those
    /// that tell which.
    kernels: [[OnceLock<Result<Kernel, String>>; 2]; 3],
    /// How many blocks in a row the former had to leave to the latter, at the end of the last run.
    pub doubted: AtomicU32,
}

/// The most instructions that are made machine code; it stays below 2³⁰ bytes.
const MOST_INSTRUCTIONS: usize = 1 << 21;

/// The bytes that making code takes for an instruction, at most.
const OF_AN_INSTRUCTION: usize = 8 << 10;

/// Rows of more results are put together from slots: their code would not fit the caches.
const MOST_COLUMNS: usize = 1 << 12;

/// Interpreted instructions for each native one, beyond which native code is not worth it.
const MOST_INTERPRETED: usize = 1;

impl Kernel {
    /// Whether nothing is left to the interpreter.
    pub fn is_whole(&self) -> bool {
        self.parts.iter().all(|part| matches!(part, Part::Native(_)))
    }

    /// How many instructions are left to the interpreter.
    pub fn interpreted(&self) -> usize {
        let lengths = self.parts.iter().map(|part| match part {
            Part::Native(_) => 0,
            Part::Interpreted(range) => range.len(),
        });
        lengths.sum()
    }

    /// The parts that are native.
    pub fn pieces(&self) -> impl Iterator<Item = &Piece> {
        self.parts.iter().filter_map(|part| match part {
            Part::Native(piece) => Some(piece),
            Part::Interpreted(_) => None,
        })
    }

    /// Whether a block with columns of so many bytes can be taken in whole turns.
    pub fn fits(&self, block: usize) -> bool {
        self.parts.iter().all(|part| match part {
            Part::Native(piece) => piece.function.fits(block),
            Part::Interpreted(_) => true,
        })
    }
}

impl NativeProgram {
    pub fn new(key: Key) -> Self {
        Self { key, kernels: [const { [const { OnceLock::new() }; 2] }; 3], doubted: AtomicU32::new(0) }
    }

    /// The kernel for a treatment of the results, or why there is none.
    pub fn kernel(&self, plan: &Plan, results: Results, tells: Tells) -> Result<&Kernel, &str> {
        let kernel = self.kernels[results as usize][tells as usize]
            .get_or_init(|| Builder::new(plan, &self.key, results, tells).build());
        kernel.as_ref().map_err(String::as_str)
    }
}

/// A part under construction.
enum Draft {
    Native(Box<Expansion>),
    Interpreted(Range<usize>),
}

/// Argument and element of what is loaded beforehand.
type Loaded = Vec<(u32, u32)>;

/// A part that is encoded.
pub(crate) enum Assembled {
    Native(Box<Allocated>),
    Interpreted(Range<usize>),
}

/// The parts of a plan's program with their listings.
///
/// # Errors
/// Why there is no native code.
pub(crate) fn listed(plan: &Plan, key: &Key) -> Result<Vec<Assembled>, String> {
    let results = if plan.total().is_some() { Results::AddedUp } else { Results::Written };
    Ok(Builder::new(plan, key, results, Tells::Whether).assemble(X86::listing)?.0)
}

/// A part that is native.
fn native(drafts: &mut [Draft], part: usize) -> &mut Expansion {
    match &mut drafts[part] {
        Draft::Native(expansion) => expansion,
        Draft::Interpreted(_) => unreachable!("only native parts have hooks"),
    }
}

struct Builder<'p> {
    plan: &'p Plan,
    key: &'p Key,
    results: Results,
    tells: Tells,
    written: Vec<bool>,
    /// By uniform number: which one it is, if the program says so.
    known: Rc<[Option<f64>]>,
}

impl<'p> Builder<'p> {
    fn new(plan: &'p Plan, key: &'p Key, results: Results, tells: Tells) -> Self {
        let known = plan.code.uniforms.iter().map(|uniform| match *uniform {
            Uniform::Number(number) => Some(number),
            Uniform::Node(_) => None,
        });
        Self { plan, key, results, tells, written: vec![], known: known.collect() }
    }

    fn build(mut self) -> Result<Kernel, String> {
        let (parts, elements) = self.assemble(X86::new)?;
        let (mut ranges, mut pieces) = (vec![], vec![]);
        for part in parts {
            match part {
                Assembled::Native(piece) => {
                    ranges.push(None);
                    pieces.push(*piece);
                }
                Assembled::Interpreted(range) => ranges.push(Some(range)),
            }
        }
        let mut pieces = Function::all(pieces, self.key.vectors)?.into_iter();
        let mut native = || pieces.next().map(|function| Part::Native(Piece { function }));
        let parts = ranges.into_iter().filter_map(|range| range.map(Part::Interpreted).or_else(&mut native));
        Ok(Kernel { parts: parts.collect(), elements, written: self.written, tells: self.tells })
    }

    /// The parts, encoded, and the elements that are loaded beforehand.
    fn assemble(&mut self, encoder: impl Fn(Vectors) -> X86) -> Result<(Vec<Assembled>, Loaded), String> {
        let code = &self.plan.code;
        if code.instructions.len() > MOST_INSTRUCTIONS {
            return Err("the program has too many instructions for native code".to_owned());
        }
        // Before anything is made: what is made of many small parts cannot be refused one by one.
        if room::probe(code.instructions.len().saturating_mul(OF_AN_INSTRUCTION)).is_err() {
            return Err("there is no memory to make native code".to_owned());
        }
        let widths: Vec<_> = self.plan.program.arguments().iter().map(|argument| argument.size()).collect();
        let mut elements = Elements { widths: &widths, loaded: vec![] };
        let (mut drafts, interpreted) = self.drafts(&mut elements);
        if interpreted > MOST_INTERPRETED * (code.instructions.len() - interpreted) {
            return Err("too few of the program's instructions have a native form".to_owned());
        }
        for draft in &mut drafts {
            if let Draft::Native(expansion) = draft {
                expansion.steps.origin = OF_RESULTS;
            }
        }
        let writers = self.writers(&drafts);
        let mut hooks = self.hooks(&mut drafts, &writers);
        let mut live = self.live_results();
        let order = if self.results == Results::AddedUp { Order::LanesByLanes } else { Order::Consecutive };
        let mut parts = vec![];
        for (number, draft) in drafts.into_iter().enumerate().rev() {
            match draft {
                Draft::Interpreted(range) => {
                    for instruction in code.instructions[range.clone()].iter().rev() {
                        self.live_before(*instruction, &mut live);
                    }
                    parts.push(Assembled::Interpreted(range));
                }
                Draft::Native(expansion) => {
                    let hooks = hooks.remove(&number).unwrap_or_default();
                    let piece = self.piece(*expansion, hooks, &mut live, order, &encoder)?;
                    parts.extend(piece.map(|piece| Assembled::Native(Box::new(piece))));
                }
            }
        }
        parts.reverse();
        Ok((parts, elements.loaded))
    }

    fn expansion(&self) -> Expansion {
        let known = Rc::clone(&self.known);
        let mut expansion =
            Expansion::new(self.key.rule, known, self.key.vectors.classify(), self.tells == Tells::Whether);
        expansion.steps.origin = OF_RESULTS;
        expansion
    }

    /// The runs of instructions, and how many are left to the interpreter.
    fn drafts(&self, elements: &mut Elements<'_>) -> (Vec<Draft>, usize) {
        let code = &self.plan.code;
        let new = || self.expansion();
        let (mut drafts, mut interpreted) = (vec![], 0);
        let mut current: Option<Expansion> = None;
        for (number, &instruction) in code.instructions.iter().enumerate() {
            if matches!(instruction, Instruction::Distance { .. }) && !self.key.measures {
                continue;
            }
            let is_new = current.is_none();
            let mut expansion = current.take().unwrap_or_else(new);
            expansion.steps.origin = number as u32;
            if expansion.append(code, elements, instruction) {
                current = Some(expansion);
                continue;
            }
            if !is_new {
                drafts.push(Draft::Native(Box::new(expansion)));
            }
            interpreted += 1;
            match drafts.last_mut() {
                Some(Draft::Interpreted(range)) if range.end == number => range.end = number + 1,
                _ => drafts.push(Draft::Interpreted(number..number + 1)),
            }
        }
        drafts.extend(current.map(|last| Draft::Native(Box::new(last))));
        (drafts, interpreted)
    }

    /// The arrays that a block's results are written to: for each the number of its first result, and the sources
    /// of all, in order.
    fn arrays(&self) -> Vec<(usize, Vec<Option<Source>>)> {
        let (code, plan) = (&self.plan.code, self.plan);
        let mut arrays = vec![];
        let mut number = 0;
        for &width in self.key.value_widths.iter().filter(|_| plan.total().is_none()) {
            arrays.push((number, code.values[number..number + width].iter().copied().map(Some).collect()));
            number += width;
        }
        for (array, own) in plan.by_array.iter().enumerate() {
            let Some(&first) = own.first() else { continue };
            let columns = own.iter().map(|&number| code.derivatives[number as usize].column);
            let are_whole =
                columns.eq(0..plan.widths[array]) && own.iter().copied().eq(first..first + own.len() as u32);
            if are_whole && !plan.is_summed(array) {
                let sources = own.iter().map(|&number| code.derivatives[number as usize].source);
                arrays.push((code.values.len() + first as usize, sources.collect()));
            }
        }
        arrays
    }

    /// What is done with results, by part and value. Results of interpreted parts are read by a last part.
    fn hooks(&mut self, drafts: &mut Vec<Draft>, writers: &HashMap<u32, usize>) -> HashMap<usize, Hooks> {
        let (code, plan) = (&self.plan.code, self.plan);
        // Sums show what they are made of, unless it is to be left out of them.
        let leaves_out = self.results == Results::AddedUp && self.tells == Tells::Which;
        let checks = match self.results {
            Results::AddedUp if !leaves_out => &plan.checks_besides_totals,
            _ => &code.checks,
        };
        let mut wanted: Vec<(Source, Hook)> = checks.iter().map(|&check| (check, Hook::Check)).collect();
        if self.results == Results::AddedUp {
            let totals = plan.totals.iter().enumerate();
            wanted.extend(totals.filter_map(|(k, total)| Some((total.source?, Hook::Accumulate(k as u32)))));
        }
        let outputs = code.values.len();
        self.written = vec![false; outputs + code.derivatives.len()];
        let arrays = if self.results == Results::InSlots { vec![] } else { self.arrays() };
        let mut rows = vec![];
        for (number, sources) in arrays {
            let is_positive = code.is_directional && number >= outputs;
            match sources[..] {
                // Those that no native part computes are copied from their slots.
                [Some(Source::Slot(slot))] if writers.contains_key(&slot) => {
                    self.written[number] = true;
                    let store = if is_positive { Hook::StorePositive } else { Hook::Store };
                    wanted.push((Source::Slot(slot), store(Place::Output(number as u32))));
                }
                [] | [_] => {}
                _ if sources.len() <= MOST_COLUMNS => {
                    self.written[number..number + sources.len()].fill(true);
                    rows.push((number, sources, is_positive));
                }
                _ => {}
            }
        }
        let mut hooks: HashMap<usize, Hooks> = HashMap::new();
        let mut last = None;
        let mut last_part = |drafts: &mut Vec<Draft>| {
            *last.get_or_insert_with(|| {
                if !matches!(drafts.last(), Some(Draft::Native(..))) {
                    drafts.push(Draft::Native(Box::new(self.expansion())));
                }
                drafts.len() - 1
            })
        };
        for (source, hook) in wanted {
            // What is left out is known after all checks: they are in one part with the sums.
            let is_last = leaves_out && matches!(hook, Hook::Check | Hook::Accumulate(_));
            let part = match source {
                Source::Slot(slot) if !is_last && writers.contains_key(&slot) => writers[&slot],
                _ => last_part(drafts),
            };
            let id = native(drafts, part).number(source);
            hooks.entry(part).or_default().of.entry(id).or_default().push(hook);
        }
        let lanes = self.key.vectors.bytes() / size_of::<f64>();
        for (number, sources, is_positive) in rows {
            for columns in groups(sources.len(), lanes) {
                // The part that computes the last one of them.
                let slots = sources[columns.clone()].iter().filter_map(|&source| match source {
                    Some(Source::Slot(slot)) => Some(writers.get(&slot).copied()),
                    _ => None,
                });
                let part = slots.min_by_key(|&part| (part.is_some(), std::cmp::Reverse(part)));
                let part = part.flatten().unwrap_or_else(|| last_part(drafts));
                let expansion = native(drafts, part);
                let values = sources[columns.clone()].iter().map(|&source| match source {
                    Some(source) => expansion.number(source),
                    None => expansion.steps.constant(0.0),
                });
                let (values, width) = (values.collect(), sources.len() as u32);
                hooks.entry(part).or_default().groups.push(Group {
                    rows: Rows { number: number as u32, width },
                    first: columns.start as u32,
                    columns: values,
                    is_positive,
                });
            }
        }
        hooks
    }

    /// By slot the native part that writes it, if that is the last part to do so.
    fn writers(&self, drafts: &[Draft]) -> HashMap<u32, usize> {
        let mut writers = HashMap::new();
        for (number, draft) in drafts.iter().enumerate() {
            match draft {
                Draft::Native(expansion) => writers.extend(expansion.held.keys().map(|&slot| (slot, number))),
                Draft::Interpreted(range) => {
                    for &instruction in &self.plan.code.instructions[range.clone()] {
                        let mut instruction = instruction;
                        instruction.visit(
                            |_| (),
                            |to| {
                                writers.remove(to);
                            },
                        );
                    }
                }
            }
        }
        writers
    }

    /// The slots that are read after a block.
    fn live_results(&self) -> BTreeSet<u32> {
        let (code, plan) = (&self.plan.code, self.plan);
        let mut live = BTreeSet::new();
        let mut read = |source: Source| {
            if let Source::Slot(slot) = source {
                live.insert(slot);
            }
        };
        let results = code.values.iter().copied().map(Some).chain(code.derivatives.iter().map(|d| d.source));
        for (number, source) in results.enumerate() {
            let is_added = number >= code.values.len() || plan.total().is_some();
            let of_total = self.results == Results::AddedUp && is_added && self.is_total(number);
            let nobody_asks = self.key.value_widths.is_empty() && plan.total().is_none();
            let is_left_out = nobody_asks && number < code.values.len();
            if !self.written[number] && !of_total && !is_left_out {
                source.into_iter().for_each(&mut read);
            }
        }
        if self.key.measures {
            for site in &code.sites {
                read(site.pole);
                site.coordinates.iter().copied().for_each(&mut read);
            }
        }
        live
    }

    /// Whether an output or derivative is added up, and not asked for otherwise.
    fn is_total(&self, number: usize) -> bool {
        let derivative = number.checked_sub(self.plan.code.values.len());
        self.plan.totals.iter().any(|summand| summand.derivative == derivative)
    }

    /// From the slots read after an instruction to those read from it on.
    fn live_before(&self, instruction: Instruction, live: &mut BTreeSet<u32>) {
        let mut instruction = instruction;
        instruction.visit(
            |_| (),
            |to| {
                live.remove(to);
            },
        );
        let mut read = |source: &Source| {
            if let Source::Slot(slot) = source {
                live.insert(*slot);
            }
        };
        if let Some((start, end)) = instruction.list() {
            self.plan.code.lists[start as usize..end as usize].iter().for_each(&mut read);
        }
        instruction.visit(|source| read(source), |_| ());
    }

    /// The code of a run; `None` if nothing of it is used.
    fn piece(
        &self,
        mut expansion: Expansion,
        mut hooks: Hooks,
        live: &mut BTreeSet<u32>,
        order: Order,
        encoder: &impl Fn(Vectors) -> X86,
    ) -> Result<Option<Allocated>, String> {
        let mut written: Vec<u32> = expansion.held.keys().copied().collect();
        written.sort_unstable(); // so that the same program has the same code
        let mut overwritten = vec![];
        for slot in written {
            if live.remove(&slot) {
                let id = expansion.number(Source::Slot(slot));
                if expansion.steps.reads(Place::Slot(slot)) {
                    overwritten.push((slot, id));
                } else {
                    hooks.of.entry(id).or_default().push(Hook::Store(Place::Slot(slot)));
                }
            }
        }
        let mut steps =
            expansion.finish().steps.with_hooks(&hooks, self.key.vectors.bytes() / size_of::<f64>());
        steps.overwrite(overwritten);
        steps.remove_unused();
        if steps.steps.is_empty() {
            return Ok(None);
        }
        for step in &steps.steps {
            if let Step::Load { place: Place::Slot(slot), .. } = *step {
                live.insert(slot);
            }
        }
        let encoder = encoder(self.key.vectors);
        let totals = if self.results == Results::AddedUp { self.plan.totals.len() } else { 0 };
        let shape = Shape::fitting(order, &steps, &encoder, totals);
        allocate(&steps, encoder, shape).map(Some)
    }
}
