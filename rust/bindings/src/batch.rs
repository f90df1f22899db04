//! Programs and plans as Python objects, and runs over the memory of NumPy arrays.

pub(crate) mod arrays;

use crate::context::measured::ModeSnapshot;
use crate::context::passes;
use crate::enums;
use crate::errors::runtime_error;
use crate::flags;
use crate::partial::PartialTotals;
use crate::places;
use crate::portable;
use crate::values::{TRScalar, scalars};
use arrays::{input_slices, keep_summed, range, refuse_overlaps, slice, slices_mut};
use pyo3::buffer::PyBuffer;
use pyo3::exceptions::{PyKeyboardInterrupt, PyMemoryError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};
use std::sync::Arc;
use zeroproof::batch::events::{BatchEvent, Happened};
use zeroproof::batch::{
    self, Directional, Execution, Input, Native, Outputs, Plan, Product, Program, Request, Simd, Stopped,
    Total, Totals,
};

/// A traced function: ``print`` shows its arguments, operations and results.
#[pyclass(frozen, module = "zeroproof._native")]
pub(crate) struct TracedProgram {
    program: Program,
    /// By node its place in the traced function.
    places: Arc<[u32]>,
}

impl TracedProgram {
    pub(crate) fn new(program: Program, places: Vec<u32>) -> Self {
        Self { program, places: places.into() }
    }

    fn plan(&self, py: Python<'_>, request: Request) -> PyResult<BatchPlan> {
        let total = request.total().is_some();
        // Others go on while a large program is compiled.
        let plan = py.detach(|| Plan::try_new(&self.program, request)).map_err(runtime_error)?;
        let per_sample = plan.program().arguments().iter().map(|argument| argument.per_sample).collect();
        Ok(BatchPlan { plan, places: self.places.clone(), per_sample, total })
    }
}

impl TracedProgram {
    fn directional(
        &self,
        py: Python<'_>,
        what: Directional,
        sources: Vec<usize>,
        coordinate: Option<usize>,
        reduce: Option<&str>,
    ) -> PyResult<BatchPlan> {
        let total = total(reduce)?;
        self.plan(py, Request::Directional { what, sources, coordinate, total })
    }
}

#[pymethods]
impl TracedProgram {
    /// The program of such data as ``arguments``, ``steps`` and ``outputs`` return; sequences in it may be lists.
    /// Where its nodes were recorded is not known.
    ///
    /// Raises:
    ///     ValueError: for data that no traced function has; the error names the place.
    #[staticmethod]
    fn from_data(
        arguments: &Bound<'_, PyAny>,
        steps: &Bound<'_, PyAny>,
        outputs: &Bound<'_, PyAny>,
    ) -> PyResult<Self> {
        let program = portable::program(arguments, steps, outputs)?;
        let places = vec![places::NOWHERE; program.len()];
        Ok(Self::new(program, places))
    }

    /// The same program with these nodes as its outputs.
    fn with_outputs(&self, outputs: &Bound<'_, PyAny>) -> PyResult<Self> {
        let mut program = self.program.clone();
        portable::set_outputs(&mut program, outputs)?;
        Ok(Self { program, places: self.places.clone() })
    }

    /// The plan for the values of all outputs.
    fn values(&self, py: Python<'_>) -> PyResult<BatchPlan> {
        self.plan(py, Request::Values)
    }

    /// The plan for the value of the one output and its gradients by the arguments ``sources``, for
    /// each sample, or as their ``"sum"`` or ``"mean"``.
    fn gradient(
        &self,
        py: Python<'_>,
        sources: Vec<usize>,
        coordinate: Option<usize>,
        reduce: Option<&str>,
    ) -> PyResult<BatchPlan> {
        let total = total(reduce)?;
        self.plan(py, Request::Gradient { sources, coordinate, total })
    }

    /// The plan for the derivatives of all outputs by the arguments ``sources``.
    fn jacobian(
        &self,
        py: Python<'_>,
        sources: Vec<usize>,
        coordinate: Option<usize>,
    ) -> PyResult<BatchPlan> {
        self.plan(py, Request::Jacobian { sources, coordinate })
    }

    /// The plan for the gradients of the outputs by the arguments ``sources``, each multiplied by an adjoint: as
    /// ``gradient`` has them for one output, as ``jacobian`` has them for several.
    fn pullback(
        &self,
        py: Python<'_>,
        sources: Vec<usize>,
        coordinate: Option<usize>,
        reduce: Option<&str>,
    ) -> PyResult<BatchPlan> {
        let total = total(reduce)?;
        self.plan(py, Request::Pullback { sources, coordinate, total })
    }

    /// The plan for the derivatives of all outputs along a direction of the arguments ``sources``; as many
    /// outputs in a row as ``widths`` says go to each array. With ``reduce`` there is one output.
    fn along(
        &self,
        py: Python<'_>,
        sources: Vec<usize>,
        coordinate: Option<usize>,
        reduce: Option<&str>,
        widths: Vec<usize>,
    ) -> PyResult<BatchPlan> {
        self.directional(py, Directional::Derivative { widths }, sources, coordinate, reduce)
    }

    /// The plan for the product of a direction with the Jacobian of the one output's gradient by the arguments
    /// ``sources``, or with the transpose of that.
    fn product(
        &self,
        py: Python<'_>,
        sources: Vec<usize>,
        coordinate: Option<usize>,
        reduce: Option<&str>,
        transposed: bool,
    ) -> PyResult<BatchPlan> {
        let product = if transposed { Product::Transposed } else { Product::Jacobian };
        self.directional(py, Directional::Product(product), sources, coordinate, reduce)
    }

    /// The plan for the Jacobian of the one output's gradient by the arguments ``sources``; with ``reduce`` all
    /// samples share them.
    fn hessian(
        &self,
        py: Python<'_>,
        sources: Vec<usize>,
        coordinate: Option<usize>,
        reduce: Option<&str>,
    ) -> PyResult<BatchPlan> {
        self.directional(py, Directional::Hessian, sources, coordinate, reduce)
    }

    /// Where values that are not REAL began, made from REAL ones, or Φ from infinities, over these
    /// samples.
    ///
    /// Args:
    ///     samples: how many there are.
    ///     inputs: the numbers of each argument, as for ``BatchPlan.run``.
    ///     most: how many samples, at most and one at least, are named at each place.
    ///     causes: whether to tell only those because of which an output is not REAL.
    ///
    /// Returns:
    ///     A list of ``(what, op, operands, value, place, input, count, samples, distance)``: what is
    ///     ``"born"``, samples are the first ones, operands and value are those in the first.
    #[pyo3(signature = (samples, inputs, most, causes=false))]
    fn origins<'py>(
        &self,
        py: Python<'py>,
        samples: usize,
        inputs: Vec<PyBuffer<f64>>,
        most: usize,
        causes: bool,
    ) -> PyResult<Bound<'py, PyList>> {
        let per_sample: Vec<_> = self.program.arguments().iter().map(|a| a.per_sample).collect();
        // SAFETY: nobody is to write to the arrays during the call, as for all that reads them.
        let inputs = unsafe { input_slices(&inputs, &per_sample)? };
        let find = if causes { Program::causes } else { Program::origins };
        let found = detached(py, |interrupted| find(&self.program, samples, &inputs, most, interrupted))?;
        event_list(py, &self.program, &self.places, found)
    }

    /// The arguments: ``(name, shape, per_sample)`` for each. Their elements are the first nodes, in order.
    fn arguments<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        portable::arguments(py, &self.program)
    }

    /// The nodes after the arguments' elements, in order, as tuples:
    ///
    /// - ``("constant", value)``
    /// - ``("op", name, operands)``: an op of the table of one or two operands
    /// - ``("power", n, operands)``: a power with the integer exponent ``n``
    /// - ``("fold", name, mode, operands)``: an op of any number of operands; the mode is ``"strict"``,
    ///   ``"drop_null"`` or ``"drop_nonreal"``
    /// - ``("condition", predicate, operands)``: 1 where the predicate holds, else 0
    /// - ``("select", (condition, a, b))``: a where the condition holds, else b
    ///
    /// Operands are numbers of nodes; those of the arguments' elements come first.
    fn steps<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        portable::steps(py, &self.program)
    }

    /// The nodes that are the results.
    fn outputs<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.program.outputs())
    }

    fn __str__(&self) -> String {
        self.program.to_string()
    }

    fn __repr__(&self) -> String {
        let (nodes, outputs) = (self.program.len(), self.program.outputs().len());
        format!("<TracedProgram of {nodes} nodes and {outputs} outputs>")
    }
}

/// How results are put together over the samples.
fn total(reduce: Option<&str>) -> PyResult<Option<Total>> {
    match reduce {
        None => Ok(None),
        Some("sum") => Ok(Some(Total::Sum)),
        Some("mean") => Ok(Some(Total::Mean)),
        Some(other) => {
            Err(PyValueError::new_err(format!("reduce must be None, 'mean' or 'sum', not {other:?}")))
        }
    }
}

/// A program compiled for one kind of request.
#[pyclass(frozen, module = "zeroproof._native")]
pub(crate) struct BatchPlan {
    plan: Plan,
    places: Arc<[u32]>,
    /// By argument: whether every sample has its own.
    per_sample: Vec<bool>,
    /// Whether values and gradients are put together over the samples.
    total: bool,
}

#[pymethods]
impl BatchPlan {
    /// The native code in Mask-REAL mode as text, each machine instruction beside what it comes from.
    ///
    /// Raises:
    ///     RuntimeError: where the interpreter runs; says why.
    fn native_listing(&self, py: Python<'_>) -> PyResult<String> {
        py.detach(|| self.plan.native_listing()).map_err(PyRuntimeError::new_err)
    }

    /// By derivative, output by output: whether a path leads to it.
    fn paths(&self) -> Vec<bool> {
        self.plan.paths()
    }

    /// Replays the program in the gradient mode in force, on up to ``threads`` threads and without
    /// the GIL, and counts in the statistics of the calling thread or async task.
    ///
    /// Args:
    ///     samples: how many there are.
    ///     threads: at least 1.
    ///     inputs: the numbers of each argument, then the direction of each source if there is one, or the
    ///         adjoints of the outputs.
    ///     values: where the outputs' values go, one array or several; none for a total, and if nobody asks
    ///         for those of a Jacobian, a pullback or of second derivatives.
    ///     gradients: where the gradients by each source go, or other derivatives; for a Jacobian and for
    ///         second derivatives that make a matrix one array.
    ///     statuses: where the flags of the gradients go; none at all if nobody asks.
    ///
    /// All are C-contiguous arrays with at least one dimension, of float64, statuses of uint8.
    ///
    /// Returns:
    ///     ``(total, kept, dropped)``: for a total the sum or mean of the values and of how many samples,
    ///     else None; and how many contributions were not REAL and left out.
    #[expect(clippy::too_many_arguments, reason = "the parts of a run, each of its own kind")]
    fn run(
        &self,
        py: Python<'_>,
        samples: usize,
        threads: usize,
        inputs: Vec<PyBuffer<f64>>,
        values: Vec<PyBuffer<f64>>,
        gradients: Vec<PyBuffer<f64>>,
        statuses: Vec<PyBuffer<u8>>,
    ) -> PyResult<(Option<f64>, Option<u64>, u64)> {
        let written = values.iter().chain(&gradients).map(range).chain(statuses.iter().map(range));
        refuse_overlaps(inputs.iter().map(range), written)?;
        // SAFETY: no two of the memories that are written overlap, nor one with an input, as was just
        // seen. The buffers live until the run is over, which keeps the arrays from being freed. That
        // nobody else writes to them meanwhile is what the caller of `tr_vmap` is asked for, as by all
        // functions that work on NumPy arrays without the GIL.
        let (inputs, values, gradients, statuses) = unsafe {
            (
                input_slices(&inputs, &self.per_sample)?,
                slices_mut(&values)?,
                slices_mut(&gradients)?,
                slices_mut(&statuses)?,
            )
        };
        self.run_into(py, samples, threads, &inputs, values, gradients, statuses)
    }

    /// What samples ``start..start + samples`` of many come to; the plan is that of a ``"sum"``. Nothing is
    /// counted but in the result.
    ///
    /// Args:
    ///     start: the number of the first sample, a multiple of 8192.
    ///     samples, threads, inputs: as for ``run``.
    ///     gradients, statuses: where the rows of arguments of samples go, those of a sum; for shared
    ///         arguments empty arrays.
    ///     mode: the mode to compute in; None for the one in force.
    #[expect(clippy::too_many_arguments, reason = "the parts of a run, each of its own kind")]
    fn part(
        &self,
        py: Python<'_>,
        start: usize,
        samples: usize,
        threads: usize,
        inputs: Vec<PyBuffer<f64>>,
        gradients: Vec<PyBuffer<f64>>,
        statuses: Vec<PyBuffer<u8>>,
        mode: Option<Bound<'_, ModeSnapshot>>,
    ) -> PyResult<PartialTotals> {
        let written = gradients.iter().map(range).chain(statuses.iter().map(range));
        refuse_overlaps(inputs.iter().map(range), written)?;
        // SAFETY: as for `run`.
        let (inputs, data) = unsafe {
            let (gradients, statuses) = (slices_mut(&gradients)?, slices_mut(&statuses)?);
            (input_slices(&inputs, &self.per_sample)?, Outputs { values: vec![], gradients, statuses })
        };
        let (state, statistics) = match mode {
            Some(mode) => mode.get().for_batch(),
            None => passes::for_batch(py)?,
        };
        let execution = Execution { threads: threads.max(1), block: None, native: Native::default() };
        detached(py, |interrupted| {
            self.plan.run_part(start, samples, &inputs, data, &state, &statistics, execution, interrupted)
        })
        .map(PartialTotals)
    }

    /// Which contributions a run leaves out since they are not REAL, in the gradient mode in force; as
    /// ``TracedProgram.origins`` has it, ``"dropped"``. Nothing is counted.
    fn dropped<'py>(
        &self,
        py: Python<'py>,
        samples: usize,
        inputs: Vec<PyBuffer<f64>>,
        most: usize,
    ) -> PyResult<Bound<'py, PyList>> {
        // SAFETY: nobody is to write to the arrays during the call, as for all that reads them.
        let inputs = unsafe { input_slices(&inputs, &self.per_sample)? };
        let (state, statistics) = passes::for_batch(py)?;
        let found = detached(py, |interrupted| {
            self.plan.dropped(samples, &inputs, most, &state, &statistics, interrupted)
        })?;
        event_list(py, self.plan.program(), &self.places, found)
    }
}

/// Runs without the GIL what asks whether to go on. An exception of a signal handler ends it, and so
/// does an interpreter that is ending.
fn detached<R: Send>(
    py: Python<'_>,
    work: impl FnOnce(&mut dyn FnMut() -> bool) -> Result<R, Stopped> + Send,
) -> PyResult<R> {
    let mut raised = None;
    let mut interrupted = || {
        raised = Python::try_attach(|py| py.check_signals())
            .unwrap_or_else(|| Err(PyKeyboardInterrupt::new_err(())))
            .err();
        raised.is_some()
    };
    let done = flags::keeping(|| py.detach(|| work(&mut interrupted)));
    done.map_err(|stopped| match stopped {
        Stopped::Interrupted => raised.unwrap_or_else(|| PyKeyboardInterrupt::new_err(())),
        Stopped::OutOfMemory => PyMemoryError::new_err(
            "there is no memory for what a batch is worked out in: use fewer threads, or split the function",
        ),
    })
}

/// What happened in a batch, for Python.
fn event_list<'py>(
    py: Python<'py>,
    program: &Program,
    places: &[u32],
    events: Vec<BatchEvent>,
) -> PyResult<Bound<'py, PyList>> {
    let tuples = events.into_iter().map(|event| {
        let (what, input) = match event.happened {
            Happened::Born(_) => ("born", None),
            Happened::Dropped(place) => ("dropped", Some(place)),
        };
        let op = program.op(event.node).expect("events happen at ops of the table");
        let place = places::place(py, places[event.node as usize])?;
        let operands = scalars(py, &event.operands)?;
        let value = TRScalar::from(event.value);
        let (count, samples, distance) = (event.count, event.samples, event.distance);
        (what, enums::op(py, op)?, operands, value, place, input, count, samples, distance).into_pyobject(py)
    });
    PyList::new(py, tuples.collect::<PyResult<Vec<_>>>()?)
}

impl BatchPlan {
    /// ``run`` on slices; those of what is summed take the sums.
    #[expect(clippy::too_many_arguments, reason = "the parts of a run, each of its own kind")]
    pub(crate) fn run_into(
        &self,
        py: Python<'_>,
        samples: usize,
        threads: usize,
        inputs: &[Input<'_>],
        values: Vec<&mut [f64]>,
        mut gradients: Vec<&mut [f64]>,
        mut statuses: Vec<&mut [u8]>,
    ) -> PyResult<(Option<f64>, Option<u64>, u64)> {
        let is_summed = |array| self.plan.is_summed(array);
        let summed_gradients = keep_summed(&mut gradients, is_summed);
        let summed_statuses = keep_summed(&mut statuses, is_summed);
        let data = Outputs { values, gradients, statuses };
        let (totals, dropped) = self.run_detached(py, samples, threads, inputs, data)?;
        for (array, slice) in summed_gradients {
            slice.copy_from_slice(&totals.gradients[array]);
        }
        for (array, slice) in summed_statuses {
            slice.iter_mut().zip(&totals.statuses[array]).for_each(|(to, status)| *to = status.bits());
        }
        Ok((self.total.then_some(totals.value), self.total.then_some(totals.kept), dropped))
    }

    fn run_detached(
        &self,
        py: Python<'_>,
        samples: usize,
        threads: usize,
        inputs: &[Input<'_>],
        outputs: Outputs<'_>,
    ) -> PyResult<(Totals, u64)> {
        let (state, mut statistics) = passes::for_batch(py)?;
        let execution = Execution { threads: threads.max(1), block: None, native: Native::default() };
        let counted = &mut statistics;
        let totals = detached(py, |interrupted| {
            self.plan.run(samples, inputs, outputs, &state, counted, execution, interrupted)
        })?;
        passes::count_batch(py, &statistics)?;
        Ok((totals, statistics.dropped_contributions()))
    }
}

/// How many threads the process may run at once, as the system has it: affinity and quotas count.
#[pyfunction]
fn available_cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Whether all numbers of an array are finite.
#[pyfunction]
fn are_finite(numbers: PyBuffer<f64>) -> PyResult<bool> {
    // SAFETY: nobody is to write to the array during the call, as for all that reads it.
    Ok(batch::are_finite(unsafe { slice(&numbers)? }))
}

/// Turns native code of batched programs on or off, for the whole process.
#[pyfunction]
fn set_native(on: bool) {
    batch::set_native(on);
}

/// The vectors that native code uses, or None, and why it does not run.
#[pyfunction]
fn native_code() -> (Option<&'static str>, Option<String>) {
    match batch::native_code() {
        Ok(Simd::Avx2) => (Some("AVX2"), None),
        Ok(Simd::Avx512) => (Some("AVX-512"), None),
        Err(reason) => (None, Some(reason)),
    }
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<TracedProgram>()?;
    module.add_class::<BatchPlan>()?;
    module.add_function(wrap_pyfunction!(available_cores, module)?)?;
    module.add_function(wrap_pyfunction!(are_finite, module)?)?;
    module.add_function(wrap_pyfunction!(set_native, module)?)?;
    module.add_function(wrap_pyfunction!(native_code, module)?)
}
