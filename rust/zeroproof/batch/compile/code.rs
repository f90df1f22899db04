//! What a program is compiled to: straight-line instructions over slots.
//!
//! An instruction works on a block of samples at a time. Its sources are slots, columns of the
//! user's arrays, or uniform numbers that are the same for every sample; it writes slots that are
//! none of its sources.

use crate::batch::program::{NodeId, Predicate};
use crate::op::Op;
use crate::reduce::Reduction;

/// Where a number comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Source {
    /// A slot; a virtual register before slots are allocated.
    Slot(u32),
    /// An argument with one number a sample, as it lies in the user's array.
    Column(u32),
    /// A number that does not depend on the sample.
    Uniform(u32),
}

/// Marks an adjoint that belongs to no singular op.
pub(crate) const NO_SITE: u32 = u32::MAX;

/// One step for a whole block.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Instruction {
    /// Brings an element of an argument to a slot.
    Load { to: u32, argument: u32, element: u32 },
    /// An op of the table.
    Value { op: Op, to: u32, a: Source, b: Source },
    /// `c + a·b`, rounded twice.
    MulAdd { to: u32, a: Source, b: Source, c: Source },
    /// A polynomial by Horner's rule, `c₀ + a·(c₁ + a·(…))`, with uniform coefficients that stand in the
    /// code's lists from the innermost to the outermost.
    Polynomial { to: u32, a: Source, list: (u32, u32) },
    /// Sine and cosine of one angle, which share most of the work.
    SinCos { to: [Option<u32>; 2], a: Source },
    /// A power.
    Power { n: i32, to: u32, a: Source },
    /// A variadic op of a list, other than a sum or a mean that keeps everything.
    Fold { op: Op, mode: Reduction, to: u32, list: (u32, u32) },
    /// What the shares of a variadic op have in common, given its inputs and its value.
    Shared { op: Op, mode: Reduction, z: Source, to: [u32; 2], list: (u32, u32) },
    /// What a variadic op passes to an input for the adjoint `g`.
    Share { op: Op, g: Source, x: Source, shared: [Source; 2], to: u32 },
    /// The distance of a singular op to its pole; only written where somebody decides by it.
    Distance { op: Op, to: u32, a: Source, b: Source },
    /// A predicate, as 1 or 0.
    Test { predicate: Predicate, to: u32, a: Source, b: Source },
    /// `a` where the condition holds, else `b`.
    Select { to: u32, condition: Source, a: Source, b: Source },
    /// What an op passes to its operands for the adjoint `g`. `n` is the exponent of a power, and
    /// `site` the place among the singular ops.
    Adjoint { op: Op, n: i32, g: Source, a: Source, b: Source, z: Source, to: [Option<u32>; 2], site: u32 },
    /// What the tangents `t` of its operands add to that of a quotient of `a` and `b`; by classical partials Φ where
    /// its fast form does not hold.
    Quotient { t: [Option<Source>; 2], a: Source, b: Source, z: Source, to: u32, site: u32 },
    /// How the partials of an op change with its operands, `[∂p₀/∂a, ∂p₀/∂b, ∂p₁/∂a, ∂p₁/∂b]`; Φ where the fast
    /// form of some entry does not hold. `is_site` says whether the op is among the singular ones.
    Entries { op: Op, n: i32, a: Source, b: Source, z: Source, to: [Option<u32>; 4], is_site: bool },
    /// The term `g·t·m` of second order, for an adjoint, a tangent and an entry, which is 1 if it is left out; with
    /// `c` the sum of both.
    Term { g: Source, t: Source, m: Option<Source>, c: Option<Source>, to: u32 },
}

impl Instruction {
    /// Where the sources of a fold or a polynomial stand in the code's lists.
    pub fn list(&self) -> Option<(u32, u32)> {
        match self {
            Self::Fold { list, .. } | Self::Polynomial { list, .. } | Self::Shared { list, .. } => {
                Some(*list)
            }
            _ => None,
        }
    }

    /// Shows every source and every slot written, to read or to rewrite them.
    pub fn visit(&mut self, mut source: impl FnMut(&mut Source), mut target: impl FnMut(&mut u32)) {
        match self {
            Self::Load { to, .. } | Self::Fold { to, .. } => target(to),
            Self::Value { to, a, b, .. } | Self::Test { to, a, b, .. } | Self::Distance { to, a, b, .. } => {
                source(a);
                source(b);
                target(to);
            }
            Self::MulAdd { to, a, b, c } | Self::Select { to, condition: c, a, b } => {
                source(a);
                source(b);
                source(c);
                target(to);
            }
            Self::Power { to, a, .. } | Self::Polynomial { to, a, .. } => {
                source(a);
                target(to);
            }
            Self::Shared { z, to, .. } => {
                source(z);
                to.iter_mut().for_each(target);
            }
            Self::Share { g, x, shared: [s, t], to, .. } => {
                [g, x, s, t].into_iter().for_each(&mut source);
                target(to);
            }
            Self::SinCos { to, a } => {
                source(a);
                to.iter_mut().flatten().for_each(target);
            }
            Self::Quotient { t, a, b, z, to, .. } => {
                t.iter_mut().flatten().chain([a, b, z]).for_each(&mut source);
                target(to);
            }
            Self::Entries { a, b, z, to, .. } => {
                [a, b, z].into_iter().for_each(&mut source);
                to.iter_mut().flatten().for_each(target);
            }
            Self::Term { g, t, m, c, to } => {
                [g, t].into_iter().chain(m).chain(c).for_each(&mut source);
                target(to);
            }
            Self::Adjoint { g, a, b, z, to, .. } => {
                [g, a, b, z].into_iter().for_each(&mut source);
                to.iter_mut().flatten().for_each(target);
            }
        }
    }
}

/// A singular op that a pass differentiates.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    /// The node, and the number of the output whose pass it is.
    pub node: NodeId,
    pub output: u32,
    /// The number whose magnitude is the distance to the pole.
    pub pole: Source,
    /// The coordinates that the op depends on.
    pub coordinates: Vec<Source>,
}

/// The derivative of an output by an element.
#[derive(Clone, Debug)]
pub(crate) struct Derivative {
    pub output: u32,
    pub element: NodeId,
    /// Its array among the outputs of the run, and its place in a sample's row there.
    pub array: usize,
    pub column: usize,
    /// Where a block leaves it; `None` if no path leads there.
    pub source: Option<Source>,
}

/// A program compiled for a request and a rule.
#[derive(Clone, Debug, Default)]
pub(crate) struct Code {
    pub instructions: Vec<Instruction>,
    /// The sources of variadic ops and polynomials.
    pub lists: Vec<Source>,
    /// The arguments that are read as columns.
    pub columns: Vec<u32>,
    /// How many slots there are.
    pub slots: usize,
    /// What does not depend on the sample.
    pub uniforms: Vec<Uniform>,
    /// Where a block leaves the value of each output.
    pub values: Vec<Source>,
    pub derivatives: Vec<Derivative>,
    /// What must be REAL for a sample to be regular.
    pub checks: Vec<Source>,
    pub sites: Vec<Site>,
    /// Whether samples in which Hybrid mode decides for bounded partials are irregular.
    pub is_directional: bool,
}

impl Code {
    /// Appends sources to the lists; says where they stand.
    pub fn list(&mut self, sources: &[Source]) -> (u32, u32) {
        let start = self.lists.len() as u32;
        self.lists.extend(sources);
        (start, self.lists.len() as u32)
    }

    /// What the rest of a plan takes, in bytes, which is told by the code.
    pub fn after_bytes(&self) -> usize {
        let checked = self.checks.len() + self.derivatives.len();
        4 * checked * size_of::<Source>() + self.sites.len() * size_of::<Site>()
    }

    /// Shows every source that is read after the last instruction.
    pub fn for_each_result(&mut self, mut visit: impl FnMut(&mut Source)) {
        self.values.iter_mut().chain(&mut self.checks).for_each(&mut visit);
        self.derivatives.iter_mut().filter_map(|d| d.source.as_mut()).for_each(&mut visit);
        for site in &mut self.sites {
            visit(&mut site.pole);
            site.coordinates.iter_mut().for_each(&mut visit);
        }
    }
}

/// A number that is the same for every sample.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Uniform {
    Number(f64),
    Node(NodeId),
}

/// The uniform number that is the seed of every pass.
pub(crate) const SEED: Source = Source::Uniform(0);
