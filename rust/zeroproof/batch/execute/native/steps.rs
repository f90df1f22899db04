//! What a processor does with one vector of samples: straight-line steps over values.
//!
//! Each value is written once. There are vectors of numbers and masks; an encoder decides where masks are
//! kept. Loads are no work of their own: a value that is loaded may be read in place.

use super::lanes::{Lanes, Rows, Shuffle};
use std::collections::{HashMap, HashSet};

/// A value, by number.
pub(crate) type Id = u32;

/// Where something lies in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Place {
    /// The column of an argument, by argument.
    Column(u32),
    /// A number that is the same for every sample.
    Uniform(u32),
    /// A number of the code itself, by its bits.
    Constant(u64),
    /// The bound of bounded partials.
    Bound,
    /// The threshold of Hybrid mode.
    Delta,
    /// The ends of an exploration region, by number.
    Low(u32),
    High(u32),
    /// An element of an argument of several, by its number among those that are loaded.
    Element(u32),
    /// A slot of the block.
    Slot(u32),
    /// A result that goes straight to the caller's array: values first, then derivatives.
    Output(u32),
}

/// Arithmetic of two operands; what it does with bits counts as such.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Arithmetic {
    Add,
    Sub,
    Mul,
    Div,
    And,
    Or,
    Xor,
}

impl Arithmetic {
    pub fn commutes(self) -> bool {
        !matches!(self, Self::Sub | Self::Div)
    }
}

/// Comparisons; with a NaN only the last two hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Comparison {
    Less,
    LessEqual,
    Equal,
    NotEqual,
    Unordered,
}

/// Classes of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Class {
    /// Below the normal doubles: zeros and subnormals.
    Tiny,
    /// The same, and infinities.
    TinyOrInfinite,
}

/// Logic of masks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Logic {
    And,
    Or,
}

/// Rounding to an integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Rounding {
    Nearest,
    Down,
    Up,
}

/// One step.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// Names what lies in memory; read where it is used.
    Load {
        to: Id,
        place: Place,
    },
    Arithmetic {
        kind: Arithmetic,
        to: Id,
        a: Id,
        b: Id,
    },
    Shuffle {
        kind: Shuffle,
        to: Id,
        a: Id,
        b: Id,
    },
    Root {
        to: Id,
        a: Id,
    },
    Round {
        rounding: Rounding,
        to: Id,
        a: Id,
    },
    Compare {
        comparison: Comparison,
        to: Id,
        a: Id,
        b: Id,
    },
    /// Where a number is of some class, and another mask holds. Not every processor can.
    Classify {
        class: Class,
        to: Id,
        a: Id,
        within: Option<Id>,
    },
    Combine {
        logic: Logic,
        to: Id,
        a: Id,
        b: Id,
    },
    Not {
        to: Id,
        a: Id,
    },
    /// `a` where the mask holds, else `b`.
    Choose {
        to: Id,
        mask: Id,
        a: Id,
        b: Id,
    },
    Store {
        place: Place,
        a: Id,
    },
    /// Stores lanes of a vector in the row of a sample, from a column on.
    StoreInRow {
        rows: Rows,
        row: u8,
        column: u32,
        lanes: Lanes,
        a: Id,
    },
    /// Notes in which samples the mask holds, or only whether in any.
    Flag {
        kind: Flags,
        mask: Id,
    },
    /// Gathers, over the whole block, what a doubt is about.
    Doubt {
        kind: Doubt,
        a: Id,
    },
    /// Adds to the lanes of a total, where the mask holds.
    Accumulate {
        total: u32,
        a: Id,
        kept: Option<Id>,
    },
    /// What follows, up to the end, happens only if the mask holds for some sample, and leaves nothing but
    /// what it notes and amends: these values at most.
    Guard {
        mask: Id,
        amends: [Option<Id>; 2],
    },
    /// Puts `a` in the place of a value where the mask holds.
    Amend {
        value: Id,
        mask: Id,
        a: Id,
    },
    /// Notes the samples in which an op has bounded partials, by the number of its site in the code.
    Saturated {
        site: u32,
        mask: Id,
    },
    /// Notes the samples in which their fast form may not hold.
    Suspected {
        site: u32,
        mask: Id,
    },
    GuardEnd,
}

/// What is said of samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Flags {
    /// Something that is checked is not REAL: a bit for each sample.
    Irregular,
    /// The fast form of an op may not hold: whether that is so anywhere. What tells irregular samples tells these as
    /// such.
    Suspect,
}

/// What may be wrong somewhere in a block. It is gathered beside the arithmetic, in other units of the
/// processor, and looked at once a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Doubt {
    /// Some bit is set of a number that is +0 if all is REAL.
    NotReal,
    /// A number is tiny.
    Tiny,
}

impl Step {
    /// The values read, and the value written.
    pub fn values(&self) -> ([Option<Id>; 3], Option<Id>) {
        match *self {
            Self::Load { to, .. } => ([None; 3], Some(to)),
            Self::Arithmetic { to, a, b, .. }
            | Self::Shuffle { to, a, b, .. }
            | Self::Compare { to, a, b, .. }
            | Self::Combine { to, a, b, .. } => ([Some(a), Some(b), None], Some(to)),
            Self::Root { to, a } | Self::Round { to, a, .. } | Self::Not { to, a } => {
                ([Some(a), None, None], Some(to))
            }
            Self::Classify { to, a, within, .. } => ([Some(a), within, None], Some(to)),
            Self::Choose { to, mask, a, b } => ([Some(mask), Some(a), Some(b)], Some(to)),
            Self::Store { a, .. } | Self::StoreInRow { a, .. } | Self::Doubt { a, .. } => {
                ([Some(a), None, None], None)
            }
            Self::Accumulate { a, kept, .. } => ([Some(a), kept, None], None),
            Self::Flag { mask, .. } | Self::Saturated { mask, .. } | Self::Suspected { mask, .. } => {
                ([Some(mask), None, None], None)
            }
            Self::Guard { mask, amends: [a, b] } => ([Some(mask), a, b], None),
            Self::Amend { value, mask, a } => ([Some(mask), Some(a), Some(value)], None),
            Self::GuardEnd => ([None; 3], None),
        }
    }
}

/// A value by how it is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Formula {
    Arithmetic(Arithmetic, Id, Id),
    Shuffle(Shuffle, Id, Id),
    Root(Id),
    Round(Rounding, Id),
    Compare(Comparison, Id, Id),
    Classify(Class, Id, Option<Id>),
    Combine(Logic, Id, Id),
    Not(Id),
    Choose(Id, Id, Id),
}

/// Of no instruction: what is done with results.
pub(crate) const OF_RESULTS: u32 = u32::MAX;

/// The steps of one piece of code.
#[derive(Debug, Default)]
pub(crate) struct Steps {
    pub steps: Vec<Step>,
    /// By value: whether it is a mask.
    pub is_mask: Vec<bool>,
    /// By value: the instruction it was first needed for; steps that are added now come from `origin`.
    origins: Vec<u32>,
    pub origin: u32,
    loaded: HashMap<Place, Id>,
    /// What was computed, and what was doubted: nothing is twice. What a guard may amend is [forgotten](Self::forget).
    computed: HashMap<Formula, Id>,
    doubted: HashSet<(Doubt, Id)>,
    /// Whether the processor tells classes of numbers.
    classifies: bool,
    /// Whether checks are doubts about the block rather than a mask for each vector.
    pub doubts: bool,
    /// If not, where a fast form may not hold.
    suspect: Option<Id>,
}

impl Steps {
    /// No steps yet, for a processor that tells classes of numbers or does not.
    pub fn new(classifies: bool, doubts: bool) -> Self {
        Self { classifies, doubts, ..Self::default() }
    }

    /// The number of the instruction that a step comes from.
    pub fn origin_of(&self, step: &Step) -> u32 {
        let (reads, written) = step.values();
        let value = written.or_else(|| reads.into_iter().flatten().next());
        value.map_or(self.origin, |id| self.origins[id as usize])
    }

    /// Takes the steps out, to be put together anew. What is loaded stays so.
    pub fn taken_out(&mut self) -> Vec<Step> {
        self.forget();
        std::mem::take(&mut self.steps)
    }

    fn id(&mut self, is_mask: bool) -> Id {
        self.is_mask.push(is_mask);
        self.origins.push(self.origin);
        self.is_mask.len() as Id - 1
    }

    /// The value of a formula, computed by a step if it is a new one.
    fn of(&mut self, formula: Formula) -> Id {
        if let Some(&known) = self.computed.get(&formula) {
            return known;
        }
        let is_mask = !matches!(
            formula,
            Formula::Arithmetic(..)
                | Formula::Shuffle(..)
                | Formula::Root(_)
                | Formula::Round(..)
                | Formula::Choose(..)
        );
        let to = self.id(is_mask);
        self.steps.push(match formula {
            Formula::Arithmetic(kind, a, b) => Step::Arithmetic { kind, to, a, b },
            Formula::Shuffle(kind, a, b) => Step::Shuffle { kind, to, a, b },
            Formula::Root(a) => Step::Root { to, a },
            Formula::Round(rounding, a) => Step::Round { rounding, to, a },
            Formula::Compare(comparison, a, b) => Step::Compare { comparison, to, a, b },
            Formula::Classify(class, a, within) => Step::Classify { class, to, a, within },
            Formula::Combine(logic, a, b) => Step::Combine { logic, to, a, b },
            Formula::Not(a) => Step::Not { to, a },
            Formula::Choose(mask, a, b) => Step::Choose { to, mask, a, b },
        });
        self.computed.insert(formula, to);
        to
    }

    /// What lies in memory before the code runs.
    pub fn load(&mut self, place: Place) -> Id {
        if let Some(&known) = self.loaded.get(&place) {
            return known;
        }
        let to = self.id(false);
        self.steps.push(Step::Load { to, place });
        self.loaded.insert(place, to);
        to
    }

    pub fn constant(&mut self, number: f64) -> Id {
        self.load(Place::Constant(number.to_bits()))
    }

    pub fn arithmetic(&mut self, kind: Arithmetic, a: Id, b: Id) -> Id {
        let (a, b) = if kind.commutes() && b < a { (b, a) } else { (a, b) };
        self.of(Formula::Arithmetic(kind, a, b))
    }

    pub fn shuffle(&mut self, kind: Shuffle, [a, b]: [Id; 2]) -> Id {
        self.of(Formula::Shuffle(kind, a, b))
    }

    pub fn add(&mut self, a: Id, b: Id) -> Id {
        self.arithmetic(Arithmetic::Add, a, b)
    }

    pub fn sub(&mut self, a: Id, b: Id) -> Id {
        self.arithmetic(Arithmetic::Sub, a, b)
    }

    /// A product; one with 1 is the other factor, one with 2 a sum, which takes less time.
    pub fn mul(&mut self, a: Id, b: Id) -> Id {
        let [one, two] = [1.0, 2.0].map(|number: f64| self.loaded.get(&Place::Constant(number.to_bits())));
        for (factor, other) in [(a, b), (b, a)] {
            if one == Some(&factor) {
                return other;
            }
            if two == Some(&factor) {
                return self.add(other, other);
            }
        }
        self.arithmetic(Arithmetic::Mul, a, b)
    }

    pub fn div(&mut self, a: Id, b: Id) -> Id {
        self.arithmetic(Arithmetic::Div, a, b)
    }

    /// Where `a` is of a class, and `within` holds.
    pub fn classify(&mut self, class: Class, a: Id, within: Option<Id>) -> Id {
        if self.classifies {
            return self.of(Formula::Classify(class, a, within));
        }
        let (magnitude, least) = (self.abs(a), self.constant(f64::MIN_POSITIVE));
        let mut found = self.compare(Comparison::Less, magnitude, least);
        if class == Class::TinyOrInfinite {
            let infinite = self.constant(f64::INFINITY);
            let infinite = self.compare(Comparison::Equal, magnitude, infinite);
            found = self.or(found, infinite);
        }
        match within {
            Some(within) => self.and(found, within),
            None => found,
        }
    }

    pub fn neg(&mut self, a: Id) -> Id {
        let sign = self.constant(-0.0);
        self.arithmetic(Arithmetic::Xor, a, sign)
    }

    pub fn abs(&mut self, a: Id) -> Id {
        let magnitude = self.load(Place::Constant(u64::MAX >> 1));
        self.arithmetic(Arithmetic::And, a, magnitude)
    }

    pub fn root(&mut self, a: Id) -> Id {
        self.of(Formula::Root(a))
    }

    pub fn round(&mut self, rounding: Rounding, a: Id) -> Id {
        self.of(Formula::Round(rounding, a))
    }

    pub fn compare(&mut self, comparison: Comparison, a: Id, b: Id) -> Id {
        self.of(Formula::Compare(comparison, a, b))
    }

    /// Where `a` is NaN.
    pub fn is_nan(&mut self, a: Id) -> Id {
        self.compare(Comparison::Unordered, a, a)
    }

    pub fn combine(&mut self, logic: Logic, a: Id, b: Id) -> Id {
        self.of(Formula::Combine(logic, a, b))
    }

    pub fn and(&mut self, a: Id, b: Id) -> Id {
        self.combine(Logic::And, a, b)
    }

    pub fn or(&mut self, a: Id, b: Id) -> Id {
        self.combine(Logic::Or, a, b)
    }

    pub fn not(&mut self, a: Id) -> Id {
        self.of(Formula::Not(a))
    }

    pub fn choose(&mut self, mask: Id, a: Id, b: Id) -> Id {
        self.of(Formula::Choose(mask, a, b))
    }

    pub fn store(&mut self, place: Place, a: Id) {
        self.steps.push(Step::Store { place, a });
    }

    pub fn store_in_row(&mut self, rows: Rows, row: u8, column: u32, lanes: Lanes, a: Id) {
        self.steps.push(Step::StoreInRow { rows, row, column, lanes, a });
    }

    pub fn flag(&mut self, kind: Flags, mask: Id) {
        self.steps.push(Step::Flag { kind, mask });
    }

    /// From here on everything is computed anew: for values that are to be amended, and what is amended.
    pub fn forget(&mut self) {
        self.computed.clear();
        self.doubted.clear();
    }

    /// Begins what is seldom done.
    pub fn guard(&mut self, mask: Id, amends: [Option<Id>; 2]) {
        self.forget();
        self.steps.push(Step::Guard { mask, amends });
    }

    pub fn amend(&mut self, value: Id, mask: Id, a: Id) {
        self.steps.push(Step::Amend { value, mask, a });
    }

    /// Ends what is seldom done, which may not hold where it is suspect.
    pub fn end_guard(&mut self, site: u32, mask: Id, suspect: Option<Id>) {
        self.forget();
        if let Some(mask) = suspect {
            self.flag(Flags::Suspect, mask);
            if !self.doubts {
                self.steps.push(Step::Suspected { site, mask });
            }
        }
        self.steps.push(Step::Saturated { site, mask });
        self.steps.push(Step::GuardEnd);
    }

    /// Doubts whether a number is REAL.
    pub fn doubt_real(&mut self, a: Id) {
        let a = self.sub(a, a); // NaN for what is not
        self.doubt(Doubt::NotReal, a);
    }

    /// Doubts whether a number is normal or more, NaN aside.
    pub fn doubt_size(&mut self, a: Id) {
        let a = if self.classifies { a } else { self.abs(a) };
        self.doubt(Doubt::Tiny, a);
    }

    fn doubt(&mut self, kind: Doubt, a: Id) {
        if self.doubted.insert((kind, a)) {
            self.steps.push(Step::Doubt { kind, a });
        }
    }

    /// Adds to a total, where the mask holds.
    pub fn accumulate(&mut self, total: u32, a: Id, kept: Option<Id>) {
        let Some(mask) = kept.filter(|_| !self.classifies) else {
            return self.steps.push(Step::Accumulate { total, a, kept });
        };
        // Masks are vectors: the number that changes no sum takes the place of what is left out.
        let nothing = self.constant(-0.0);
        let a = self.choose(mask, a, nothing);
        self.steps.push(Step::Accumulate { total, a, kept: None });
    }

    /// Flags samples in which a fast form may not hold.
    pub fn suspect(&mut self, mask: Id) {
        self.flag(Flags::Suspect, mask);
        if !self.doubts {
            self.suspect = Some(mask);
        }
    }

    /// Flags what is irregular, of numbers that are NaN where that is so, and what is suspect.
    pub fn flag_irregular(&mut self, nothing: Option<Id>) {
        let irregular = nothing.map(|nothing| self.is_nan(nothing));
        let masks = [irregular, self.suspect.take()].into_iter().flatten();
        if let Some(mask) = masks.reduce(|a, b| self.or(a, b)) {
            self.flag(Flags::Irregular, mask);
        }
    }

    /// Whether something that lies in memory before the code runs is read.
    pub fn reads(&self, place: Place) -> bool {
        self.loaded.contains_key(&place)
    }

    /// Puts values into slots that are read too. That comes last: an instruction that passes on what it reads gives
    /// no value of its own, so the value of a slot may be older than the last step that reads what it takes
    /// the place of.
    pub fn overwrite(&mut self, slots: Vec<(u32, Id)>) {
        let in_slots: HashSet<Id> = self
            .loaded
            .iter()
            .filter(|(place, _)| matches!(place, Place::Slot(_)))
            .map(|(_, &id)| id)
            .collect();
        // What lies in slots itself is read before any of them changes.
        let mut copied =
            |id| if in_slots.contains(&id) { self.arithmetic(Arithmetic::Or, id, id) } else { id };
        let slots: Vec<_> = slots.into_iter().map(|(slot, id)| (slot, copied(id))).collect();
        slots.into_iter().for_each(|(slot, id)| self.store(Place::Slot(slot), id));
    }

    /// Leaves out what nobody uses.
    pub fn remove_unused(&mut self) {
        let mut used = vec![false; self.is_mask.len()];
        let mut kept = vec![true; self.steps.len()];
        for (step, kept) in self.steps.iter().zip(&mut kept).rev() {
            let (reads, written) = step.values();
            *kept = written.is_none_or(|to| used[to as usize]);
            if *kept {
                reads.into_iter().flatten().for_each(|id| used[id as usize] = true);
            }
        }
        let mut kept = kept.into_iter();
        self.steps.retain(|_| kept.next() == Some(true));
    }
}
