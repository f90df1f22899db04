//! Batches: a traced function replayed over many samples at once, on all cores.
//!
//! [`Program`] is the traced function, [`Plan`] the program compiled for one kind of request,
//! [`Plan::run`] replays it. For each sample the bits are those of the scalar path.
//!
//! ```
//! use zeroproof::batch::{Argument, Execution, Input, Kind, Native, Outputs, Plan, Program, Request};
//! use zeroproof::{ModeState, Op, Statistics};
//!
//! // f(x) = (1 + x) / x, of one number for each sample.
//! let mut program = Program::new(vec![Argument { name: "x".into(), shape: vec![], per_sample: true }]);
//! let x = 0;
//! let one = program.push(Kind::Constant(1.0), &[]);
//! let above = program.push(Kind::Elementwise(Op::Add), &[one, x]);
//! let f = program.push(Kind::Elementwise(Op::Div), &[above, x]);
//! program.set_outputs(vec![f]);
//!
//! let plan = Plan::new(&program, Request::Gradient { sources: vec![0], coordinate: None, total: None });
//! let (mut values, mut gradients, mut statuses) = ([0.0; 3], [0.0; 3], [0; 3]);
//! plan.run(
//!     3,
//!     &[Input::PerSample(&[-1.0, 0.0, 2.0])],
//!     Outputs {
//!         values: vec![&mut values],
//!         gradients: vec![&mut gradients],
//!         statuses: vec![&mut statuses],
//!     },
//!     &ModeState::mask_real(),
//!     &mut Statistics::new(),
//!     Execution { threads: 1, block: None, native: Native::default() },
//!     &mut || false, // goes on
//! )
//! .unwrap();
//! assert_eq!(values, [-0.0, f64::INFINITY, 1.5]);
//! assert_eq!(gradients, [-1.0, 0.0, -0.25]);
//! assert_eq!(statuses, [0, 1, 0]); // masked at the pole
//! ```

mod checked;
mod compile;
pub mod events;
#[cfg_attr(
    not(all(feature = "native", target_arch = "x86_64")),
    expect(dead_code, reason = "what only native code asks for")
)]
mod execute;
mod irregular;
mod program;

pub use checked::Invalid;
pub use compile::lowering::PLAN_BUDGET;
pub use compile::plan::Plan;
pub use execute::are_finite;
pub use execute::misfit::Misfit;
pub use execute::native::{Native, Simd, native_code, set_native};
#[doc(hidden)]
pub use execute::native::{native_blocks, simulate_refusal};
pub use execute::part_mode::PartMode;
pub use execute::partial::{Finished, LeftOut, MOST_SAMPLES, Partial};
pub use program::{Argument, Kind, NodeId, Predicate, Program};

pub use crate::backward::second::Product;
use crate::error::Error;
use crate::status::Status;

/// How the samples' values are put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Total {
    /// The sum over the samples whose value is REAL.
    Sum,
    /// The mean over the samples whose value is REAL; Φ if none is.
    Mean,
}

/// What is asked of a program.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Request {
    /// The values of all outputs.
    Values,
    /// The value of the one output, and its gradients by the elements of these arguments.
    Gradient {
        /// The arguments, by number; none twice.
        sources: Vec<usize>,
        /// The argument whose elements are coordinates of exploration regions.
        coordinate: Option<usize>,
        /// Whether values and gradients are put together over the samples.
        total: Option<Total>,
    },
    /// The derivative of each output by each element of these arguments, and the outputs' values.
    Jacobian {
        /// The arguments, by number; none twice.
        sources: Vec<usize>,
        /// The argument whose elements are coordinates of exploration regions.
        coordinate: Option<usize>,
    },
    /// The gradients of each output multiplied by an adjoint, and the outputs' values: for one output as a
    /// gradient, for several as a Jacobian.
    ///
    /// A run takes one input more behind those of the arguments: the adjoints of the outputs, for each sample if
    /// any argument has numbers for each.
    Pullback {
        /// The arguments, by number; none twice.
        sources: Vec<usize>,
        /// The argument whose elements are coordinates of exploration regions.
        coordinate: Option<usize>,
        /// Whether the value of the one output and its gradients are put together over the samples.
        total: Option<Total>,
    },
    /// Derivatives along a direction, or second derivatives.
    ///
    /// Where there is a direction, a run takes further inputs behind those of the arguments: for each source
    /// its direction, of the same kind and length.
    Directional {
        /// Which.
        what: Directional,
        /// The arguments, by number; none twice.
        sources: Vec<usize>,
        /// The argument whose elements are coordinates of exploration regions.
        coordinate: Option<usize>,
        /// Whether results are put together over the samples.
        total: Option<Total>,
    },
}

/// A derivative along a direction, or a second derivative.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Directional {
    /// The derivative of each output along a direction, and the outputs' values.
    Derivative {
        /// How many outputs in a row each array of derivatives takes. Under a [`Total`] there is one output.
        widths: Vec<usize>,
    },
    /// The product of the direction with the Jacobian of the one output's gradient, an array for each source.
    Product(Product),
    /// The Jacobian of the one output's gradient, one array: row i says how the derivative by element i of the
    /// sources changes. Under a [`Total`] all of them are shared.
    Hessian,
}

impl Directional {
    /// Whether there is a direction.
    pub(crate) fn has_direction(&self) -> bool {
        !matches!(self, Self::Hessian)
    }
}

impl Request {
    /// The arguments to differentiate by.
    pub fn sources(&self) -> &[usize] {
        match self {
            Self::Values => &[],
            Self::Gradient { sources, .. }
            | Self::Jacobian { sources, .. }
            | Self::Pullback { sources, .. }
            | Self::Directional { sources, .. } => sources,
        }
    }

    /// The argument whose elements are coordinates.
    pub fn coordinate(&self) -> Option<usize> {
        match self {
            Self::Values => None,
            Self::Gradient { coordinate, .. }
            | Self::Jacobian { coordinate, .. }
            | Self::Pullback { coordinate, .. }
            | Self::Directional { coordinate, .. } => *coordinate,
        }
    }

    /// How results are put together over the samples.
    pub fn total(&self) -> Option<Total> {
        match self {
            Self::Values | Self::Jacobian { .. } => None,
            Self::Gradient { total, .. } | Self::Pullback { total, .. } | Self::Directional { total, .. } => {
                *total
            }
        }
    }
}

/// The numbers of an argument.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// One for each element.
    Shared(&'a [f64]),
    /// Those of the first sample, then those of the second, and so on.
    PerSample(&'a [f64]),
}

/// Where per-sample results go. Rows are samples.
#[derive(Debug, Default)]
pub struct Outputs<'a> {
    /// The outputs' values: an array for each output, or arrays that take several outputs in a row.
    /// Empty under a [`Total`]; may be empty for a Jacobian, a pullback and for second derivatives.
    pub values: Vec<&'a mut [f64]>,
    /// For a gradient, by source: as many numbers a sample as the argument has elements. Under a
    /// [`Total`] those of shared arguments are empty. For a Jacobian one array: outputs × elements of
    /// all sources. For what is directional see [`Directional`].
    pub gradients: Vec<&'a mut [f64]>,
    /// The same for the flags of [`Status`]; no array at all if nobody asks.
    pub statuses: Vec<&'a mut [u8]>,
}

/// What a run under a [`Total`] comes to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Totals {
    /// The sum or mean of the values that are REAL.
    pub value: f64,
    /// How many samples are.
    pub kept: u64,
    /// By source, the gradients of a shared argument; empty for an argument of samples.
    pub gradients: Vec<Vec<f64>>,
    /// How each came about over all samples.
    pub statuses: Vec<Vec<Status>>,
}

/// How a run is carried out; no result depends on it.
#[derive(Clone, Copy, Debug)]
pub struct Execution {
    /// The most threads to use, at least 1.
    pub threads: usize,
    /// The samples that are replayed together: a multiple of 32 that divides 8192; `None` for what fits
    /// the cache.
    pub block: Option<usize>,
    /// Whether native code may run.
    pub native: Native,
}

/// Why a run ended early. Outputs are half-written, statistics are as before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// The caller, who is asked, said so.
    Interrupted,
    /// There is no memory for what the run needs besides its inputs and outputs.
    OutOfMemory,
}

impl From<Error> for Stopped {
    /// Nothing but memory is refused on the way.
    fn from(_: Error) -> Self {
        Self::OutOfMemory
    }
}
