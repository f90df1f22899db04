//! Native code: batched programs as machine code of the processor at hand.
//!
//! The instructions of a plan are the only source of it, and the block interpreter is what it is tested
//! against: every result has the same bits. Where there is no native form, no memory to put it, or no
//! processor for it, the interpreter runs.
//!
//! ```text
//! expand.rs    instructions as steps on one vector of samples (steps.rs); curvature.rs those of second order
//! hooks.rs     what is done with results; rows.rs those that go to rows (lanes.rs)
//! allocate.rs  registers by a linear scan, through an encoder (encoder.rs; x86.rs is one, for vectors.rs)
//! regions.rs   what it works on, and how far
//! memory.rs    executable memory and calls: all that is unsafe
//! program.rs   the parts of a program, and what they leave to each other
//! backend.rs   replays a block with them
//! listing.rs   shows the code beside the instructions
//! ```

#[cfg(all(feature = "native", target_arch = "x86_64"))]
mod allocate;
#[cfg(all(feature = "native", target_arch = "x86_64"))]
mod backend;
#[cfg(all(feature = "native", target_arch = "x86_64"))]
mod curvature;
#[cfg(all(feature = "native", target_arch = "x86_64"))]
mod encoder;
#[cfg(all(feature = "native", target_arch = "x86_64"))]
mod expand;
#[cfg(all(feature = "native", target_arch = "x86_64"))]
mod hooks;
#[cfg(all(feature = "native", target_arch = "x86_64"))]
mod lanes;
#[cfg(all(feature = "native", target_arch = "x86_64"))]
mod listing;
#[cfg(all(feature = "native", target_arch = "x86_64"))]
mod memory;
#[cfg(all(feature = "native", target_arch = "x86_64"))]
mod program;
#[cfg(all(feature = "native", target_arch = "x86_64"))]
mod regions;
#[cfg(all(feature = "native", target_arch = "x86_64"))]
mod rows;
#[cfg(all(feature = "native", target_arch = "x86_64"))]
mod steps;
mod switch;
#[cfg(all(feature = "native", target_arch = "x86_64"))]
mod vectors;
#[cfg(all(feature = "native", target_arch = "x86_64"))]
mod x86;

pub use switch::{Native, Simd, native_blocks, native_code, set_native, simulate_refusal};

use crate::batch::compile::plan::Plan;

#[cfg(all(feature = "native", target_arch = "x86_64"))]
mod chosen {
    use super::backend::NativeBackend;
    use super::expand::Rule;
    use super::program::{Kernel, Key, NativeProgram, Results, Tells};
    use super::switch::{self, Native};
    use crate::batch::Outputs;
    use crate::batch::compile::plan::Plan;
    use crate::batch::execute::machine::Machine;
    use crate::mode::{GradientMode, ModeState};
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::sync::{Arc, Mutex, PoisonError};

    /// So many samples, over all runs of a plan, pay for making native code: it takes as long as the
    /// interpreter takes for some ten thousand samples.
    const WORTH_COMPILING: u64 = 32_768;

    /// How many instructions are carried out in the time of one that is interpreted, and how long those take that
    /// are left to the interpreter, mostly elementary functions.
    const FASTER: usize = 2;
    const ELEMENTARY: usize = 12;

    /// The samples of such a block.
    const LARGE_BLOCK: usize = 2048;
    /// The bytes of slots that such blocks may need if the interpreter takes them over.
    const MOST_IN_SLOTS: usize = 1 << 20;
    /// With more exploration regions they are looked up by the interpreter.
    const MOST_REGIONS: usize = 16;
    /// The bytes of results that may wait to be put into rows, half of a common second-level cache of 512 KiB.
    const MOST_LEFT: usize = 256 << 10;

    /// The native programs of a plan, one for each way to run it.
    #[derive(Debug, Default)]
    pub(crate) struct Programs {
        samples: AtomicU64,
        made: Mutex<Vec<Arc<NativeProgram>>>,
    }

    impl Programs {
        /// Those that a plan keeps.
        pub fn of(plan: &Plan) -> Option<&Self> {
            plan.kept.get_or_init(|| Box::new(Self::default())).downcast_ref()
        }

        /// The one for a run, if native code is to run.
        pub fn choose(
            &self,
            plan: &Plan,
            samples: usize,
            outputs: &Outputs<'_>,
            state: &ModeState,
            saturates: bool,
            native: Native,
        ) -> Option<Arc<NativeProgram>> {
            let before = self.samples.fetch_add(samples as u64, Ordering::Relaxed);
            let pays = before.saturating_add(samples as u64) >= WORTH_COMPILING;
            let vectors = switch::vectors(native, pays)?;
            let rule = match state.mode {
                GradientMode::MaskReal => Rule::Classical,
                GradientMode::Saturating => Rule::Bounded,
                GradientMode::Hybrid if saturates => Rule::Bounded,
                GradientMode::Hybrid if plan.code.sites.is_empty() => Rule::Classical,
                GradientMode::Hybrid => deciding(plan, state)?,
            };
            let value_widths = outputs.values.iter().map(|values| values.len() / samples.max(1)).collect();
            let measures = state.mode == GradientMode::Hybrid;
            let key = Key { vectors, rule, measures, value_widths };
            let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(known) = made.iter().find(|program| program.key == key) {
                return Some(Arc::clone(known));
            }
            let program = Arc::new(NativeProgram::new(key));
            made.push(Arc::clone(&program));
            Some(program)
        }
    }

    /// A plan's code as text.
    pub(crate) fn listing(plan: &Plan) -> Result<String, String> {
        switch::native_code()?;
        let vectors = switch::vectors(Native::WhenItPays, true);
        super::listing::listing(plan, vectors.ok_or("native code is turned off")?)
    }

    /// How singular ops decide in Hybrid mode, if code decides.
    fn deciding(plan: &Plan, state: &ModeState) -> Option<Rule> {
        let has_coordinate = plan.code.sites.iter().any(|site| !site.coordinates.is_empty());
        let regions = if has_coordinate { state.regions().len() } else { 0 };
        if regions == 0 && state.delta().is_none() {
            return Some(Rule::Classical);
        }
        // Samples with bounded partials are irregular in what is directional.
        let decides = !plan.code.is_directional && regions <= MOST_REGIONS;
        // Few numbers of regions have code of their own.
        let regions = if regions > 0 { regions.next_power_of_two() as u32 } else { 0 };
        decides.then_some(Rule::Deciding { regions })
    }

    /// The work of a sample, in what it takes an instruction of the interpreter.
    pub(crate) fn work(plan: &Plan, program: &NativeProgram) -> usize {
        let results = if plan.total().is_some() { Results::AddedUp } else { Results::Written };
        let kernel = program.kernel(plan, results, Tells::Whether);
        let interpreted = kernel.map_or(0, Kernel::interpreted);
        (plan.code.instructions.len() - interpreted) / FASTER + interpreted * ELEMENTARY + 2
    }

    /// The samples of a block: where nothing is left to the interpreter, there are no slots to fit the cache, and there
    /// may be more, so that a call costs less.
    pub(crate) fn block(plan: &Plan, program: &NativeProgram, samples: usize) -> Option<usize> {
        let results = if plan.total().is_some() { Results::AddedUp } else { Results::Written };
        let kernel = program.kernel(plan, results, Tells::Whether).ok()?;
        if !kernel.is_whole() {
            return Some(plan.block_of_parts(samples));
        }
        if samples < LARGE_BLOCK {
            return None;
        }
        // Results that are put into rows afterwards lie in slots meanwhile.
        let outputs = kernel.written.len() - plan.code.derivatives.len();
        let left = plan.code.derivatives.iter().zip(&kernel.written[outputs..]);
        let columns =
            left.filter(|(derivative, written)| !plan.is_summed(derivative.array) && !**written).count();
        let fits = |block: usize| {
            let bytes = block * size_of::<f64>();
            columns * bytes <= MOST_LEFT && plan.code.slots * bytes <= MOST_IN_SLOTS
        };
        [1, 2, 4, 8].map(|part| LARGE_BLOCK / part).into_iter().find(|&block| fits(block))
    }

    /// A worker's back end for a run of so many samples, with the slots of a block interpreter.
    pub(crate) fn backend<'m>(
        machine: Machine<'m>,
        plan: &'m Plan,
        program: Option<&'m NativeProgram>,
        samples: usize,
    ) -> NativeBackend<'m> {
        NativeBackend::new(machine, program.map(|program| (plan, program)), samples)
    }
}

#[cfg(not(all(feature = "native", target_arch = "x86_64")))]
mod chosen {
    use super::switch::Native;
    use crate::batch::Outputs;
    use crate::batch::compile::plan::Plan;
    use crate::batch::execute::machine::Machine;
    use crate::mode::ModeState;
    use std::sync::Arc;

    /// There is no native code for this processor.
    #[derive(Debug)]
    pub(crate) enum NativeProgram {}

    /// No programs.
    #[derive(Debug, Default)]
    pub(crate) struct Programs;

    impl Programs {
        /// None that a plan keeps.
        pub fn of(_plan: &Plan) -> Option<&Self> {
            None
        }

        /// None.
        pub fn choose(
            &self,
            _plan: &Plan,
            _samples: usize,
            _outputs: &Outputs<'_>,
            _state: &ModeState,
            _saturates: bool,
            _native: Native,
        ) -> Option<Arc<NativeProgram>> {
            None
        }
    }

    /// There is no code.
    pub(crate) fn listing(_plan: &Plan) -> Result<String, String> {
        Err(super::switch::native_code().err().unwrap_or_default())
    }

    /// None.
    pub(crate) fn work(_plan: &Plan, _program: &NativeProgram) -> usize {
        0
    }

    /// As many samples as fit.
    pub(crate) fn block(_plan: &Plan, _program: &NativeProgram, _samples: usize) -> Option<usize> {
        None
    }

    /// A worker's back end: the block interpreter.
    pub(crate) fn backend<'m>(
        machine: Machine<'m>,
        _plan: &'m Plan,
        _program: Option<&'m NativeProgram>,
        _samples: usize,
    ) -> Machine<'m> {
        machine
    }
}

pub(crate) use chosen::{Programs, backend, block, work};

impl Plan {
    /// The native code of the plan in Mask-REAL mode as text, each machine instruction beside what it comes from.
    ///
    /// # Errors
    /// Why the interpreter runs instead.
    pub fn native_listing(&self) -> Result<String, String> {
        chosen::listing(self)
    }
}
