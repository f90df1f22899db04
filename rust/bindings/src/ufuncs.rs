//! NumPy's functions on nodes, TR scalars and tracers: `__array_ufunc__` of their classes.
//!
//! NumPy calls it for each of its universal functions that meets such an operand, so also for an operator
//! whose left operand is an array or a NumPy number. Which function stands for which of NumPy's is a table
//! that Python registers. A plain call of a function in the table is answered here; keyword arguments, other
//! methods and other functions are left to a function of Python.

use crate::arrays::{has_elements, is_array, with_array};
use crate::callbacks::UFUNC;
use crate::guarded::Guarded;
use crate::number::common_number;
use crate::operand::expect_operand;
use crate::raw::{Arguments, Payload, as_method, method, payload, set_method};
use crate::scalar::compare;
use crate::tracer::objects::{TracedCondition, Tracer, is_traced};
use crate::values::{TRNode, TRScalar};
use pyo3::basic::CompareOp;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyString, PyType};
use pyo3::{Borrowed, IntoPyObjectExt, ffi, intern};
use std::ffi::CStr;

/// The operator that NumPy calls a function for.
#[derive(Clone, Copy)]
enum Operator {
    /// By its name in Python's module.
    Arithmetic(&'static str),
    Comparison(CompareOp),
}

impl Operator {
    /// The operator of this name in Python's module.
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "eq" => Self::Comparison(CompareOp::Eq),
            "ne" => Self::Comparison(CompareOp::Ne),
            "lt" => Self::Comparison(CompareOp::Lt),
            "le" => Self::Comparison(CompareOp::Le),
            "gt" => Self::Comparison(CompareOp::Gt),
            "ge" => Self::Comparison(CompareOp::Ge),
            _ => {
                let known = ["add", "sub", "mul", "truediv", "pow", "mod"];
                Self::Arithmetic(known.into_iter().find(|known| *known == name)?)
            }
        })
    }
}

/// What stands for a function of NumPy.
struct Rule {
    operands: usize,
    function: Py<PyAny>,
    operator: Option<Operator>,
}

/// The rules by NumPy's functions, which are found by identity: at the place of the hash of the address or,
/// where that was taken, at the next that was free.
#[derive(Default)]
struct Table {
    places: Vec<Option<(Py<PyAny>, Rule)>>,
    /// NumPy's `False` and `True`: `~` negates them, while it makes an int of a bool.
    bools: Option<[Py<PyAny>; 2]>,
}

static TABLE: Guarded<Table> = Guarded::new(Table::default);

/// At most half of them are taken, so a search ends soon.
const PLACES: usize = 256;

fn hash(ufunc: *mut ffi::PyObject) -> usize {
    (ufunc as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(8) as usize % PLACES
}

impl Table {
    fn insert(&mut self, ufunc: Py<PyAny>, rule: Rule) {
        let mut place = hash(ufunc.as_ptr());
        while self.places[place].is_some() {
            place = (place + 1) % PLACES;
        }
        self.places[place] = Some((ufunc, rule));
    }

    fn find(&self, ufunc: *mut ffi::PyObject) -> Option<&Rule> {
        let mut place = hash(ufunc);
        loop {
            let (known, rule) = self.places.get(place)?.as_ref()?;
            if known.as_ptr() == ufunc {
                return Some(rule);
            }
            place = (place + 1) % PLACES;
        }
    }
}

fn rule(ufunc: &Bound<'_, PyAny>, operands: usize) -> Option<(Py<PyAny>, Option<Operator>)> {
    let py = ufunc.py();
    TABLE.read(py, |table| {
        let rule = table.find(ufunc.as_ptr()).filter(|rule| rule.operands == operands)?;
        Some((rule.function.clone_ref(py), rule.operator))
    })
}

/// `__array_ufunc__(ufunc, method, *inputs, **keywords)`.
#[inline(always)]
fn array_ufunc<'py>(py: Python<'py>, arguments: &Arguments<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    if let Some([ufunc, method, inputs @ ..]) = arguments.unnamed()
        && method.cast::<PyString>()?.to_str()? == "__call__"
        && let Some((function, operator)) = rule(ufunc, inputs.len())
    {
        return match called(function.bind(py), operator, inputs) {
            Ok(result) => with_numpy_bools(result),
            Err(error) => left_to_others(inputs, error),
        };
    }
    arguments.forward(&UFUNC.required(py)?, None)
}

#[inline(always)]
fn called<'py>(
    function: &Bound<'py, PyAny>,
    operator: Option<Operator>,
    inputs: &[Borrowed<'_, 'py, PyAny>],
) -> PyResult<Bound<'py, PyAny>> {
    match (operator, inputs) {
        (None, [a]) => function.call1((a,)),
        (None, [a, b]) => function.call1((a, b)),
        (None, [a, b, c]) => function.call1((a, b, c)),
        (Some(Operator::Arithmetic(name)), [a, b]) => {
            if may_be_array(a)? || may_be_array(b)? {
                with_array(name, a, b) // NumPy's loop over objects
            } else {
                function.call1((a, b))
            }
        }
        (Some(Operator::Comparison(op)), [a, b]) => compared(function, op, a, b),
        _ => Err(PyTypeError::new_err("a rule for a function of NumPy has one to three operands")),
    }
}

/// Whether it is a node, a TR scalar or a float.
#[inline(always)]
fn is_common(object: &Bound<'_, PyAny>) -> bool {
    payload::<TRNode>(object).is_some() || common_number(object).is_some()
}

/// Whether it is an array, asked of nodes and numbers at little cost. Some of NumPy's are floats.
#[inline(always)]
fn may_be_array(object: &Bound<'_, PyAny>) -> PyResult<bool> {
    Ok(!is_common(object) && !object.is_instance_of::<PyFloat>() && is_array(object)?)
}

/// A comparison: that of the operator, but of tracers a condition, which `function` makes.
fn compared<'py>(
    function: &Bound<'py, PyAny>,
    op: CompareOp,
    a: &Bound<'py, PyAny>,
    b: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = function.py();
    if is_traced(a) || is_traced(b) {
        return function.call1((a, b));
    }
    let is_own = payload::<TRNode>(a).is_some() || payload::<TRScalar>(a).is_some();
    let (own, other, order) = if is_own { (a, b, op) } else { (b, a, swapped(op)) };
    let value = expect_operand(own)?.value(py).into();
    let result = compare(value, own, &python_number(other)?, order, py)?;
    if !result.is(py.NotImplemented()) {
        return Ok(result);
    }
    match op {
        _ if has_elements(other)? => function.call1((a, b)),
        CompareOp::Eq if !is_foreign(other)? => false.into_bound_py_any(py),
        CompareOp::Ne if !is_foreign(other)? => true.into_bound_py_any(py),
        _ => Ok(result),
    }
}

/// A number of NumPy, which makes an array of it to compare it, as Python's; anything else as it is.
fn python_number<'py>(object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = object.py();
    let is_number = !is_common(object)
        && object.getattr_opt(intern!(py, "ndim"))?.map_or(Ok(false), |dimensions| dimensions.eq(0))?;
    if !is_number || !object.hasattr(intern!(py, "item"))? {
        return Ok(object.clone());
    }
    object.call_method0(intern!(py, "item"))
}

/// The comparison with its operands in the other order.
fn swapped(op: CompareOp) -> CompareOp {
    match op {
        CompareOp::Eq | CompareOp::Ne => op,
        CompareOp::Lt => CompareOp::Gt,
        CompareOp::Le => CompareOp::Ge,
        CompareOp::Gt => CompareOp::Lt,
        CompareOp::Ge => CompareOp::Le,
    }
}

/// A result, a bool as that of NumPy.
#[inline(always)]
fn with_numpy_bools(result: Bound<'_, PyAny>) -> PyResult<Bound<'_, PyAny>> {
    let py = result.py();
    let Ok(holds) = result.cast_exact::<PyBool>() else { return Ok(result) };
    let place = usize::from(holds.is_true());
    let bools = TABLE.read(py, |table| table.bools.as_ref().map(|bools| bools[place].clone_ref(py)));
    Ok(bools.map_or(result, |found| found.into_bound(py)))
}

/// An error for a type that is not known here: `NotImplemented` if that type says itself what functions of
/// NumPy are.
#[cold]
fn left_to_others<'py>(inputs: &[Borrowed<'_, 'py, PyAny>], error: PyErr) -> PyResult<Bound<'py, PyAny>> {
    let py = inputs[0].py();
    if error.is_instance_of::<PyTypeError>(py) {
        for input in inputs {
            if is_foreign(input)? {
                return Ok(py.NotImplemented().into_bound(py));
            }
        }
    }
    Err(error)
}

/// Whether the type of an operand says itself what functions of NumPy are of it.
fn is_foreign(object: &Bound<'_, PyAny>) -> PyResult<bool> {
    if is_common(object) || is_traced(object) {
        return Ok(false);
    }
    let py = object.py();
    let Some(theirs) = object.get_type().getattr_opt("__array_ufunc__")? else { return Ok(false) };
    Ok(!theirs.is(&py.import("numpy")?.getattr("ndarray")?.getattr("__array_ufunc__")?))
}

/// Registers what stands for NumPy's functions.
///
/// Args:
///     functions: by function of NumPy a function of as many operands.
///     operators: the name in Python's module of the operator that some of them are called for.
///     bools: NumPy's ``False`` and ``True``.
///     otherwise: called as ``__array_ufunc__`` is, for all that these do not answer.
#[pyfunction]
fn set_ufuncs(
    functions: &Bound<'_, PyDict>,
    operators: &Bound<'_, PyDict>,
    bools: [Py<PyAny>; 2],
    otherwise: Bound<'_, PyAny>,
) -> PyResult<()> {
    let py = functions.py();
    if functions.len() > PLACES / 2 {
        return Err(PyValueError::new_err(format!("no more than {} functions", PLACES / 2)));
    }
    let mut table = Table { places: vec![], bools: Some(bools) };
    table.places.resize_with(PLACES, || None);
    for (ufunc, function) in functions {
        let operator = match operators.get_item(&ufunc)? {
            None => None,
            Some(name) => {
                let named = Operator::named(name.cast::<PyString>()?.to_str()?);
                Some(named.ok_or_else(|| PyValueError::new_err(format!("no operator is named {name}")))?)
            }
        };
        let operands = ufunc.getattr("nin")?.extract()?;
        table.insert(ufunc.unbind(), Rule { operands, function: function.unbind(), operator });
    }
    let before = TABLE.write(py, |current| std::mem::replace(current, table));
    drop(before); // outside the cell, since it drops Python objects
    UFUNC.set(otherwise);
    Ok(())
}

/// The classes of operands.
fn classes(py: Python<'_>) -> [Bound<'_, PyType>; 3] {
    [TRNode::class().bind(py), TRScalar::class().bind(py), py.get_type::<Tracer>()]
}

/// Makes functions methods of nodes, TR scalars and tracers, by name.
#[pyfunction]
fn set_methods(functions: &Bound<'_, PyDict>) -> PyResult<()> {
    for (name, function) in functions {
        let name = name.cast::<PyString>()?;
        for class in classes(functions.py()) {
            class.setattr(name, as_method(&function)?)?;
        }
    }
    Ok(())
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    for class in classes(py).into_iter().chain([py.get_type::<TracedCondition>()]) {
        let definition = method!(
            c"__array_ufunc__",
            0,
            c"__array_ufunc__($self, ufunc, method, /, *inputs, **kwargs)\n--\n\n\
              What NumPy's universal functions are of such operands.",
            |py, _this, arguments| array_ufunc(py, &arguments)
        );
        set_method(&class, definition)?;
    }
    module.add_function(wrap_pyfunction!(set_ufuncs, module)?)?;
    module.add_function(wrap_pyfunction!(set_methods, module)?)
}
