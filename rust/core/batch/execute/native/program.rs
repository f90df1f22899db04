//! A program as machine code: runs of instructions that have a native form, and between them those that the
//! block interpreter carries out.
//!
//! What one part leaves to another is in the slots that the compiler gave it; all else stays in registers.

use super::allocate::{Shape, allocate};
use super::encoder::Order;
use super::expand::{Elements, Expansion, Rule};
use super::memory::Function;
use super::regions::Allocated;
use super::steps::{Hook, Id, Place, Step};
use super::x86::{Vectors, X86};
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    pub vectors: Vectors,
    pub rule: Rule,
    /// Whether distances to poles are asked for.
    pub measures: bool,
    /// Whether each output's values take an array alone.
    pub values_alone: bool,
    /// Whether nobody asks for values.
    pub leaves_values_out: bool,
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
    /// Argument and element of what is loaded beforehand.
    pub elements: Vec<(u32, u32)>,
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

/// Interpreted instructions for each native one, beyond which native code is not worth it.
const MOST_INTERPRETED: usize = 1;

impl Kernel {
    /// Whether nothing is left to the interpreter.
    pub fn is_whole(&self) -> bool {
        self.parts.iter().all(|part| matches!(part, Part::Native(_)))
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
            .get_or_init(|| Builder::new(plan, self.key, results, tells).build());
        kernel.as_ref().map_err(String::as_str)
    }
}

/// A part under construction.
enum Draft {
    Native(Box<Expansion>),
    Interpreted(Range<usize>),
}

struct Builder<'p> {
    plan: &'p Plan,
    key: Key,
    results: Results,
    tells: Tells,
    written: Vec<bool>,
    /// By uniform number: which one it is, if the program says so.
    known: Rc<[Option<f64>]>,
}

impl<'p> Builder<'p> {
    fn new(plan: &'p Plan, key: Key, results: Results, tells: Tells) -> Self {
        let known = plan.code.uniforms.iter().map(|uniform| match *uniform {
            Uniform::Number(number) => Some(number),
            Uniform::Node(_) => None,
        });
        Self { plan, key, results, tells, written: vec![], known: known.collect() }
    }

    fn build(mut self) -> Result<Kernel, String> {
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
        let writers = self.writers(&drafts);
        let mut hooks = self.hooks(&mut drafts, &writers);
        let mut live = self.live_results();
        let order = if self.results == Results::AddedUp { Order::LanesByLanes } else { Order::Consecutive };
        let (mut parts, mut pieces) = (vec![], vec![]);
        for (number, draft) in drafts.into_iter().enumerate().rev() {
            parts.push(match draft {
                Draft::Interpreted(range) => {
                    for instruction in code.instructions[range.clone()].iter().rev() {
                        self.live_before(*instruction, &mut live);
                    }
                    Some(range)
                }
                Draft::Native(expansion) => {
                    let hooks = hooks.remove(&number).unwrap_or_default();
                    let Some(piece) = self.piece(*expansion, hooks, &mut live, order)? else {
                        continue;
                    };
                    pieces.push(piece);
                    None
                }
            });
        }
        let mut pieces = Function::all(pieces, self.key.vectors)?.into_iter();
        let mut native = || pieces.next().map(|function| Part::Native(Piece { function }));
        let parts = parts.into_iter().filter_map(|part| part.map(Part::Interpreted).or_else(&mut native));
        let mut parts: Vec<_> = parts.collect();
        parts.reverse();
        Ok(Kernel { parts, elements: elements.loaded, written: self.written, tells: self.tells })
    }

    fn expansion(&self) -> Expansion {
        let known = Rc::clone(&self.known);
        Expansion::new(self.key.rule, known, self.key.vectors.classify(), self.tells == Tells::Whether)
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

    /// Whether a derivative has an array to itself, for every sample.
    fn has_array(&self, derivative: usize) -> bool {
        let plan = self.plan;
        let array = plan.code.derivatives[derivative].array;
        let is_added = plan.totals.iter().any(|summand| summand.derivative == Some(derivative));
        plan.widths[array] == 1 && !is_added
    }

    /// What is done with results, by part and value. Results of interpreted parts are read by a last part.
    fn hooks(
        &mut self,
        drafts: &mut Vec<Draft>,
        writers: &HashMap<u32, usize>,
    ) -> HashMap<usize, HashMap<Id, Vec<Hook>>> {
        let writer = |source| match source {
            Source::Slot(slot) => writers.get(&slot).copied(),
            _ => None,
        };
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
        if self.results != Results::InSlots {
            let values = code.values.iter().enumerate();
            let values = values.filter(|_| self.key.values_alone && plan.total().is_none());
            let derivatives = code.derivatives.iter().enumerate();
            let derivatives = derivatives.filter(|&(d, _)| self.has_array(d));
            let derivatives = derivatives.filter_map(|(d, of)| Some((outputs + d, of.source?)));
            let alone: Vec<_> = values.map(|(k, &source)| (k, source)).chain(derivatives).collect();
            for (number, source) in alone {
                // Those that no native part computes are copied from their slots.
                if writer(source).is_some() {
                    self.written[number] = true;
                    let place = Place::Output(number as u32);
                    let is_positive = code.is_directional && number >= outputs;
                    let store = if is_positive { Hook::StorePositive } else { Hook::Store };
                    wanted.push((source, store(place)));
                }
            }
        }
        let mut hooks: HashMap<usize, HashMap<Id, Vec<Hook>>> = HashMap::new();
        let mut last = None;
        for (source, hook) in wanted {
            // What is left out is known after all checks: they are in one part with the sums.
            let is_last = leaves_out && matches!(hook, Hook::Check | Hook::Accumulate(_));
            let number = writer(source).filter(|_| !is_last).unwrap_or_else(|| {
                *last.get_or_insert_with(|| {
                    if !matches!(drafts.last(), Some(Draft::Native(..))) {
                        drafts.push(Draft::Native(Box::new(self.expansion())));
                    }
                    drafts.len() - 1
                })
            });
            let Draft::Native(expansion) = &mut drafts[number] else {
                unreachable!("only native parts have hooks")
            };
            let id = expansion.number(source);
            hooks.entry(number).or_default().entry(id).or_default().push(hook);
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
            let is_left_out = self.key.leaves_values_out && number < code.values.len();
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
        mut hooks: HashMap<Id, Vec<Hook>>,
        live: &mut BTreeSet<u32>,
        order: Order,
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
                    hooks.entry(id).or_default().push(Hook::Store(Place::Slot(slot)));
                }
            }
        }
        let mut steps = expansion.finish().steps.with_hooks(&hooks);
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
        let encoder = X86::new(self.key.vectors);
        let totals = if self.results == Results::AddedUp { self.plan.totals.len() } else { 0 };
        let shape = Shape::fitting(order, &steps, &encoder, totals);
        allocate(&steps, encoder, shape).map(Some)
    }
}
