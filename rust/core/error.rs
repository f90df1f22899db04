//! Everything that can be refused. Arithmetic never is: singularities are values.

use crate::op::Op;
use std::fmt;

/// Why a call was refused, in words that say what to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Error {
    /// There is no memory for what was asked. Everything is as it was before.
    OutOfMemory,
    /// The derivatives of so many outputs, of which the first ones filled the budget of a plan.
    PlanTooLarge {
        /// How many outputs the program has.
        outputs: usize,
        /// How many of them a plan has room for.
        fitting: usize,
        /// The budget in bytes.
        budget: usize,
    },
    /// A value assigned to a node of this op, which is no parameter or input.
    NotAssignable(Op),
    /// A value assigned to what a parameter or input was before an assignment.
    EarlierVersion(Op),
    /// `backward` on a root that no parameter or input leads to.
    NoParameter,
    /// The derivative of a gradient.
    SecondDerivative,
    /// A saturation bound that is not a positive finite number.
    SaturationBound(f64),
    /// A local threshold that is negative or not finite.
    LocalThreshold(f64),
    /// An exploration region whose ends are not finite or not in order.
    Region(f64, f64),
    /// A schedule field out of its range: the field, its value, what it must be.
    ScheduleField(&'static str, f64, &'static str),
    /// A policy field out of its range: what is wrong.
    Policy(&'static str),
    /// A direction that has not one number for each variable.
    Tangents {
        /// How many variables there are.
        wanted: usize,
        /// How many numbers were given.
        given: usize,
    },
    /// A number of a direction that is not REAL.
    Tangent(f64),
    /// A distance to a pole that is negative or not a number.
    Distance(f64),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoParameter => f.write_str(
                "backward: the root depends on no parameter or input, so there is nothing to \
                 differentiate with respect to; make a leaf with parameter(value)",
            ),
            Self::SecondDerivative => f.write_str(
                "a derivative is asked for that is not available: what is differentiated was computed from a \
                 second derivative, from what tr_jvp, tr_hvp or tr_hessian returned, or from the gradient of a \
                 tape that no tape was open around; there are no third derivatives, tr_grad(tr_grad(f)) gives \
                 second ones, and .detach() treats a derivative as a constant",
            ),
            Self::OutOfMemory => f.write_str(
                "there is no memory for more nodes; drop those that are not needed, or compute in smaller parts",
            ),
            Self::PlanTooLarge { outputs, fitting, budget } => write!(
                f,
                "the derivatives of {outputs} outputs do not fit the {} MiB that a plan may take, those of \
                 {fitting} do: each output has a backward pass of its own; return fewer outputs per call, add \
                 them up in the function and ask for one gradient, or split the function",
                budget >> 20
            ),
            Self::NotAssignable(Op::Constant) => f.write_str(
                "a constant cannot be assigned a value, only a parameter or input can; make another constant",
            ),
            Self::NotAssignable(op) => write!(
                f,
                "only a parameter or input can be assigned a value, and this node was made by {}; assign to \
                 the parameters that it was computed from and compute it again",
                op.name()
            ),
            Self::EarlierVersion(op) => write!(
                f,
                "this node is what the {} was before a value was assigned to it, which stays as it is for what \
                 was recorded from it; assign to the {0} itself",
                op.name()
            ),
            Self::SaturationBound(b) => {
                write!(f, "the saturation bound must be a positive finite number, not {b}")
            }
            Self::LocalThreshold(d) => {
                write!(f, "the local threshold must be a non-negative finite number or None, not {d}")
            }
            Self::Region(lo, hi) => write!(
                f,
                "an exploration region must be (low, high), finite and low <= high, not ({lo}, {hi})"
            ),
            Self::ScheduleField(field, value, rule) => write!(f, "{field} must be {rule}, not {value}"),
            Self::Policy(what) => f.write_str(what),
            Self::Tangents { wanted, given } => {
                write!(f, "a direction must have one number for each variable: {wanted}, not {given}")
            }
            Self::Tangent(t) => write!(f, "the numbers of a direction must be finite, not {t}"),
            Self::Distance(q) => {
                write!(f, "the distance to a pole must be a non-negative finite number, not {q}")
            }
        }
    }
}

impl std::error::Error for Error {}
