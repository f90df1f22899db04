//! What is done with results, at once where they are computed.

use super::rows::Group;
use super::steps::{Arithmetic, Comparison, Id, Place, Step, Steps};
use std::collections::{HashMap, HashSet};

/// The total of the values.
const OF_VALUES: u32 = 0;

/// What is done with a value besides what reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hook {
    Store(Place),
    /// The same, zeros as +0.
    StorePositive(Place),
    /// Adds it to a total; if checks tell which samples are irregular, without those whose value is not REAL.
    Accumulate(u32),
    /// Looks whether it is REAL.
    Check,
}

/// What is done with the results of a piece of code.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hooks {
    /// By value.
    pub of: HashMap<Id, Vec<Hook>>,
    /// Columns of arrays.
    pub groups: Vec<Group>,
}

/// Groups whose columns are not all computed yet.
struct Waiting<'h> {
    groups: &'h [Group],
    /// By group: how many of its columns are missing.
    missing: Vec<usize>,
    /// By value the groups that it belongs to.
    of: HashMap<Id, Vec<usize>>,
}

impl<'h> Waiting<'h> {
    fn new(groups: &'h [Group]) -> Self {
        let mut waiting = Self { groups, missing: vec![], of: HashMap::new() };
        for (number, group) in groups.iter().enumerate() {
            let columns: HashSet<Id> = group.columns.iter().copied().collect();
            waiting.missing.push(columns.len());
            columns.into_iter().for_each(|id| waiting.of.entry(id).or_default().push(number));
        }
        waiting
    }

    /// The groups of which this was the last value.
    fn written(&mut self, id: Id) -> Vec<&'h Group> {
        let mut complete = vec![];
        for number in self.of.remove(&id).unwrap_or_default() {
            self.missing[number] -= 1;
            if self.missing[number] == 0 {
                complete.push(&self.groups[number]);
            }
        }
        complete
    }
}

impl Steps {
    /// Puts steps behind those that write some values: all that is done with a result is done at once, so
    /// that its register is free again. Vectors have so many lanes.
    pub fn with_hooks(mut self, hooks: &Hooks, lanes: usize) -> Self {
        let (mut steps, doubts) = (self.taken_out(), self.doubts);
        // What is done with a result may read a constant that a later step loaded first.
        steps.sort_by_key(|step| !matches!(step, Step::Load { .. }));
        let all = &mut self;
        let (mut nothing, mut kept, mut summands) = (None, None, vec![]);
        let amends =
            steps.iter().map(|step| if let Step::Guard { amends, .. } = *step { amends } else { [None; 2] });
        let awaited: HashSet<Id> = amends.flatten().flatten().collect();
        let shown = shown(&steps, hooks, &awaited, doubts);
        let (mut amended, mut waiting) = ([None; 2], Waiting::new(&hooks.groups));
        for step in steps {
            all.steps.push(step);
            let written = match step {
                // What is amended is a result only then.
                Step::GuardEnd => std::mem::take(&mut amended),
                Step::Guard { amends, .. } => {
                    amended = amends;
                    continue;
                }
                _ => [step.values().1.filter(|id| !awaited.contains(id)), None],
            };
            let hooked =
                |written: Id| hooks.of.get(&written).into_iter().flatten().map(move |hook| (written, hook));
            for (written, hook) in written.into_iter().flatten().flat_map(hooked) {
                match *hook {
                    Hook::Store(place) => all.store(place, written),
                    Hook::StorePositive(place) => {
                        let zero = all.constant(0.0);
                        let positive = all.add(written, zero);
                        all.store(place, positive);
                    }
                    Hook::Accumulate(total) if doubts => all.accumulate(total, written, None),
                    Hook::Accumulate(total) => {
                        if total == OF_VALUES {
                            let nothing = all.sub(written, written);
                            kept = Some(all.compare(Comparison::Equal, nothing, nothing));
                        }
                        summands.push((total, written));
                        if kept.is_some() {
                            summands
                                .drain(..)
                                .for_each(|(total, summand)| all.accumulate(total, summand, kept));
                        }
                    }
                    Hook::Check if shown.contains(&written) => {}
                    Hook::Check if doubts => all.doubt_real(written),
                    Hook::Check => {
                        // NaN for what is not REAL, so that one comparison serves all.
                        let one = all.sub(written, written);
                        nothing = Some(match nothing {
                            Some(others) => all.arithmetic(Arithmetic::Or, others, one),
                            None => one,
                        });
                    }
                }
            }
            for written in written.into_iter().flatten() {
                waiting.written(written).into_iter().for_each(|group| all.store_rows(group, lanes));
            }
        }
        all.flag_irregular(nothing);
        debug_assert!(summands.is_empty(), "the value is among what is added up");
        self
    }
}

/// Values that need no check: where one is not REAL, so is another one that is made of it and is looked at.
fn shown(steps: &[Step], hooks: &Hooks, amended: &HashSet<Id>, doubts: bool) -> HashSet<Id> {
    let is_looked_at = |id: &Id| {
        let hooks = hooks.of.get(id).into_iter().flatten();
        // A sum is looked at too, unless something is left out of it.
        let mut looks =
            hooks.map(|hook| *hook == Hook::Check || doubts && matches!(hook, Hook::Accumulate(_)));
        looks.any(|looks| looks)
    };
    let loaded = steps.iter().filter_map(|step| match *step {
        Step::Load { to, place: Place::Constant(bits) } => Some((to, bits)),
        _ => None,
    });
    let constants: HashMap<Id, u64> = loaded.collect();
    // These bits change a sign and nothing else.
    let is_sign = |id: Id| constants.get(&id).is_some_and(|&bits| bits << 1 == 0 || bits == u64::MAX >> 1);
    let mut shown = HashSet::new();
    for step in steps.iter().rev() {
        let Some(to) = step.values().1 else { continue };
        if amended.contains(&to) || !is_looked_at(&to) && !shown.contains(&to) {
            continue;
        }
        match *step {
            Step::Arithmetic { kind: Arithmetic::Add | Arithmetic::Sub | Arithmetic::Mul, a, b, .. } => {
                shown.extend([a, b]);
            }
            Step::Arithmetic { kind: Arithmetic::Div, a, .. }
            | Step::Round { a, .. }
            | Step::Root { a, .. } => {
                shown.insert(a);
            }
            Step::Arithmetic { kind: Arithmetic::And | Arithmetic::Xor, a, b, .. } => {
                shown.extend(if is_sign(b) { Some(a) } else { None });
                shown.extend(if is_sign(a) { Some(b) } else { None });
            }
            _ => {}
        }
    }
    shown
}
