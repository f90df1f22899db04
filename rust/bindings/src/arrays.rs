//! Operations on NumPy arrays, element by element, as arrays of objects.

use crate::locks::filled;
use crate::number::{element, taken_out};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{IntoPyDict, PyList, PyTuple, PyType};
use zeroproof::Op;

/// So many elements pass between two looks for signals.
const PATIENCE: usize = 1024;

/// The name in Python's `operator` module of an op that has an operator.
pub(crate) fn operator_of(op: Op) -> &'static str {
    match op {
        Op::Div => "truediv",
        Op::Remainder => "mod",
        op => op.name(),
    }
}

/// Whether it is a NumPy array.
pub(crate) fn is_array(object: &Bound<'_, PyAny>) -> PyResult<bool> {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let py = object.py();
    let class = filled(&CLASS, py, || Ok(py.import("numpy")?.getattr("ndarray")?.cast_into()?.unbind()))?;
    Ok(object.is_exact_instance(class.bind(py)) || object.is_instance(class.bind(py))?)
}

/// Whether functions go through its elements: an array, a list or a tuple.
pub(crate) fn has_elements(object: &Bound<'_, PyAny>) -> PyResult<bool> {
    Ok(is_sequence(object) || is_array(object)?)
}

fn is_sequence(object: &Bound<'_, PyAny>) -> bool {
    object.is_instance_of::<PyList>() || object.is_instance_of::<PyTuple>()
}

/// So many dimensions NumPy can broadcast.
const DEEPEST: usize = 32;

/// A list or tuple, of lists or tuples perhaps, as an array of objects.
fn array_of<'py>(sequence: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    /// The items, each taken out of the array if it is one of one object and no dimensions.
    fn items<'py>(sequence: &Bound<'py, PyAny>, depth: usize) -> PyResult<Bound<'py, PyList>> {
        let found = sequence.try_iter()?.map(|item| {
            let item = item?;
            refuse_masked(&item)?;
            match is_sequence(&item) {
                true if depth == DEEPEST => {
                    Err(PyTypeError::new_err(format!("lists are nested more than {DEEPEST} deep")))
                }
                true => Ok(items(&item, depth + 1)?.into_any()),
                false => Ok(element(&item)?.unwrap_or(item)),
            }
        });
        PyList::new(sequence.py(), found.collect::<PyResult<Vec<_>>>()?)
    }
    let items = items(sequence, 1)?;
    sequence.py().import("numpy")?.call_method1("array", (items, "O"))
}

/// An array of one object and no dimensions, for NumPy to broadcast.
fn boxed<'py>(object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = object.py();
    let boxed = py.import("numpy")?.call_method1("empty", (PyTuple::empty(py), "O"))?;
    boxed.set_item(PyTuple::empty(py), object)?;
    Ok(boxed)
}

/// An operation between a node or TR scalar and a NumPy array: element by element, in an array of
/// objects, or of what an array without dimensions holds. `NotImplemented` if neither side is an array.
/// `operator` is a name of Python's module.
#[cold]
pub(crate) fn with_array<'py>(
    operator: &str,
    a: &Bound<'py, PyAny>,
    b: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = a.py();
    if element(a)?.is_some() || element(b)?.is_some() {
        let [a, b] = <[_; 2]>::try_from(taken_out(&[a, b])?).expect("two operands");
        return py.import("operator")?.call_method1(operator, (a, b));
    }
    refuse_masked(a)?;
    refuse_masked(b)?;
    // NumPy would warn of the infinities that are values here.
    let settings = Some([("all", "ignore")].into_py_dict(py)?);
    let quiet = py.import("numpy")?.call_method("errstate", (), settings.as_ref())?;
    let apply = |a, b| {
        quiet.call_method0("__enter__")?;
        let result = py.import("operator")?.call_method1(operator, (a, b));
        quiet.call_method1("__exit__", (py.None(), py.None(), py.None()))?;
        result
    };
    match (is_array(a)?, is_array(b)?) {
        (false, true) => apply(boxed(a)?, b.clone()),
        (true, false) => apply(a.clone(), boxed(b)?),
        _ => Ok(py.NotImplemented().into_bound(py)),
    }
}

/// What a class of arrays of TR values, if one of the operands is of such a class, makes of the function
/// `tr_NAME`: its method `__tr_function__` is asked.
#[cold]
pub(crate) fn by_array_class<'py>(
    name: &str,
    operands: &[Bound<'py, PyAny>],
) -> PyResult<Option<Bound<'py, PyAny>>> {
    for operand in operands {
        if let Some(answer) = operand.get_type().getattr_opt("__tr_function__")? {
            let operands = PyTuple::new(operand.py(), operands)?;
            return answer.call1((operand, name, operands)).map(Some);
        }
    }
    Ok(None)
}

/// Refuses a masked array, whose mask would be lost.
pub(crate) fn refuse_masked(operand: &Bound<'_, PyAny>) -> PyResult<()> {
    let is_plain = operand.is_exact_instance_of::<PyList>() || operand.is_exact_instance_of::<PyTuple>();
    if !is_plain && is_array(operand)? && operand.hasattr("mask")? {
        return Err(PyTypeError::new_err(
            "a masked array is no operand: take its data, or fill what is masked",
        ));
    }
    Ok(())
}

/// What `function` makes of the elements of arrays, lists and tuples and of what has none, put together by
/// NumPy's rules of broadcasting: an array of objects, or for no dimensions the one object. NumPy only
/// lends the elements, so that none of its warnings comes of them.
///
/// # Errors
/// `ValueError` for shapes that do not go together; `TypeError` for a masked array, whose mask would be
/// lost; what the function raises.
#[cold]
pub(crate) fn broadcast<'py>(
    py: Python<'py>,
    operands: &[Bound<'py, PyAny>],
    function: impl Fn(&[Bound<'py, PyAny>]) -> PyResult<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let arrays = operands.iter().map(|operand| {
        refuse_masked(operand)?;
        if is_sequence(operand) {
            array_of(operand)
        } else if is_array(operand)? {
            Ok(operand.clone())
        } else {
            boxed(operand)
        }
    });
    let numpy = py.import("numpy")?;
    let arrays = PyTuple::new(py, arrays.collect::<PyResult<Vec<_>>>()?)?;
    let elements = numpy.getattr("broadcast")?.call1(arrays)?;
    let results = numpy.call_method1("empty", (elements.getattr("shape")?, "O"))?;
    let flat = results.call_method1("reshape", (-1,))?;
    for (place, elements) in elements.try_iter()?.enumerate() {
        if place % PATIENCE == 0 {
            py.check_signals()?;
        }
        let elements: Vec<_> = elements?.cast::<PyTuple>()?.iter().collect();
        flat.set_item(place, function(&elements)?)?;
    }
    if results.getattr("ndim")?.eq(0)? { flat.get_item(0) } else { Ok(results) }
}
