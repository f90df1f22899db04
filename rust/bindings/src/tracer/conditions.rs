//! Total conditions, and the choice between two operands by one.
//!
//! Of values and nodes a condition is a Python bool, and the node that is recorded stands for the one
//! chosen. Of tracers condition and choice are recorded.

use super::objects::{Trace, TracedCondition, is_traced};
use super::recording::{Traced, common_trace, push, traced, tracer};
use crate::arrays::{broadcast, by_array_class, has_elements, is_array};
use crate::flags;
use crate::number::taken_out;
use crate::operand::{Operand, expect_operand};
use crate::raw::new_object;
use crate::record::record_choice;
use crate::values::TRScalar;
use pyo3::IntoPyObjectExt;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyBool;
use std::cell::Cell;
use zeroproof::batch::{Kind, NodeId, Predicate};

type Operands<'py> = [Bound<'py, PyAny>];

/// A condition as an operand: recorded, or known as 1 or 0.
fn condition<'a, 'py>(object: &'a Bound<'py, PyAny>) -> PyResult<Traced<'a, 'py>> {
    let py = object.py();
    if let Ok(condition) = object.cast::<TracedCondition>() {
        return Ok(Traced::Node(condition.get().trace.bind(py), condition.get().node));
    }
    let holds = match object.cast::<PyBool>() {
        Ok(holds) => holds.is_true(),
        Err(_) if is_bool_of_numpy(object)? => object.is_truthy()?,
        Err(_) => {
            let class = object.get_type().name()?;
            return Err(PyTypeError::new_err(format!(
                "expected a condition, not {class}: a condition is a bool, or what tr_less, tr_equal, \
                 tr_is_real and their like return; its negation is tr_not(condition), since ~ makes an int \
                 of a bool"
            )));
        }
    };
    Ok(Traced::Constant(f64::from(u8::from(holds))))
}

/// Whether it is a bool of NumPy, also as an array of no dimensions.
fn is_bool_of_numpy(object: &Bound<'_, PyAny>) -> PyResult<bool> {
    let Some(dtype) = object.getattr_opt("dtype")? else { return Ok(false) };
    let is_bool = dtype.getattr_opt("kind")?.map_or(Ok(false), |kind| kind.eq("b"))?;
    Ok(is_bool && object.getattr_opt("ndim")?.map_or(Ok(false), |dimensions| dimensions.eq(0))?)
}

fn new_condition<'py>(trace: &Bound<'py, Trace>, node: NodeId) -> PyResult<Bound<'py, PyAny>> {
    Ok(Bound::new(trace.py(), TracedCondition { trace: trace.clone().unbind(), node })?.into_any())
}

/// What `one` makes of the operands, or of their elements if some are arrays, lists or tuples: the function
/// `tr_NAME`.
fn each<'py>(
    name: &str,
    operands: &[&Bound<'py, PyAny>],
    one: impl Fn(&Operands<'py>) -> PyResult<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = operands[0].py();
    let operands = taken_out(operands)?;
    let error = match one(&operands) {
        Err(error) if error.is_instance_of::<PyTypeError>(py) => error,
        result => return result,
    };
    if let Some(answer) = by_array_class(name, &operands)? {
        return Ok(answer);
    }
    for operand in &operands {
        if has_elements(operand)? {
            return broadcast(py, &operands, one);
        }
    }
    Err(error)
}

/// The name of the function, after `tr_`; `tr_greater` and its like are others with the operands exchanged.
fn name_of(predicate: Predicate) -> &'static str {
    match predicate {
        Predicate::Less => "less",
        Predicate::LessEqual => "less_equal",
        Predicate::Equal => "equal",
        Predicate::IsReal => "is_real",
        Predicate::IsInfinite => "is_infinite",
        Predicate::IsPhi => "is_phi",
        Predicate::And => "and",
        Predicate::Or => "or",
        Predicate::Not => "not",
    }
}

/// [`each`] for conditions: an array of bools if none of them is traced.
fn each_condition<'py>(
    predicate: Predicate,
    operands: &[&Bound<'py, PyAny>],
    one: impl Fn(&Operands<'py>) -> PyResult<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let any_traced = Cell::new(false);
    let results = each(name_of(predicate), operands, |operands| {
        let result = one(operands)?;
        any_traced.set(any_traced.get() || is_traced(&result));
        Ok(result)
    })?;
    if any_traced.get() || !is_array(&results)? {
        return Ok(results);
    }
    results.call_method1("astype", ("?",))
}

/// The predicate of conditions, or of arrays of them.
pub(super) fn logical<'py>(
    predicate: Predicate,
    operands: &[&Bound<'py, PyAny>],
) -> PyResult<Bound<'py, PyAny>> {
    each_condition(predicate, operands, |operands| logical_one(predicate, operands))
}

fn logical_one<'py>(predicate: Predicate, operands: &Operands<'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = operands[0].py();
    let operands: Vec<_> = operands.iter().map(condition).collect::<PyResult<_>>()?;
    if let Some(trace) = common_trace(&operands) {
        return new_condition(trace, push(trace, Kind::Condition(predicate), &operands)?);
    }
    let known = |operand: &Traced<'_, '_>| if let Traced::Constant(value) = operand { *value } else { 0.0 };
    let second = operands.get(1).map_or(0.0, known);
    predicate.holds(known(&operands[0]), second).into_bound_py_any(py)
}

/// The value of a node, TR scalar or number.
fn value(object: &Bound<'_, PyAny>) -> PyResult<f64> {
    Ok(expect_operand(object)?.value(object.py()))
}

fn any_tracer(operands: &Operands<'_>) -> bool {
    operands.iter().any(is_traced)
}

/// The predicate of numbers, or of arrays of them.
fn numerical<'py>(predicate: Predicate, operands: &[&Bound<'py, PyAny>]) -> PyResult<Bound<'py, PyAny>> {
    each_condition(predicate, operands, |operands| numerical_one(predicate, operands))
}

fn numerical_one<'py>(predicate: Predicate, operands: &Operands<'py>) -> PyResult<Bound<'py, PyAny>> {
    if any_tracer(operands) {
        let operands: Vec<_> = operands.iter().map(traced).collect::<PyResult<_>>()?;
        let trace = common_trace(&operands).expect("one of them is a tracer");
        return new_condition(trace, push(trace, Kind::Condition(predicate), &operands)?);
    }
    let (first, second) = (value(&operands[0])?, operands.get(1).map_or(Ok(0.0), value)?);
    flags::keeping(|| predicate.holds(first, second)).into_bound_py_any(operands[0].py())
}

/// The operand chosen by a condition that is known.
fn choose<'py>(holds: bool, operands: &Operands<'py>) -> PyResult<Bound<'py, PyAny>> {
    let [a, b] = operands else { unreachable!("a choice of two") };
    let py = a.py();
    let chosen = if holds { a } else { b };
    if any_tracer(operands) {
        let operands = [traced(a)?, traced(b)?];
        let trace = common_trace(&operands).expect("one of them is a tracer");
        return match &operands[usize::from(!holds)] {
            Traced::Node(..) => Ok(chosen.clone()),
            Traced::Constant(value) => tracer(trace, push(trace, Kind::Constant(*value), &[])?),
        };
    }
    let (a, b) = (expect_operand(a)?, expect_operand(b)?);
    let (taken, other) = if holds { (a, b) } else { (b, a) };
    match (taken, other) {
        (Operand::Value(value), Operand::Value(_)) => new_object(py, TRScalar::from(value)),
        _ => match record_choice(py, taken, other)? {
            Some(node) => new_object(py, node),
            None => Ok(chosen.clone()),
        },
    }
}

/// ``a`` where the condition holds, else ``b``; what is not chosen contributes nothing at all.
///
/// Of two numbers or TR scalars it returns the one chosen as a TRScalar; if one of them is a node, the
/// one chosen as a node. That requires a gradient if ``a`` or ``b`` does, whatever the condition is: a
/// parameter that occurs only in what was not chosen has the gradient 0, and its status is EXACT. An
/// array, list or tuple among the arguments gives an array of objects, element by element.
///
/// Args:
///     condition: a bool, or what a condition such as ``tr_less`` returns.
///     a: a TRNode, TRScalar or number.
///     b: a TRNode, TRScalar or number.
///
/// Raises:
///     TypeError: for a condition of another type, also for an int such as ``~True``.
///
/// Examples:
///     >>> from zeroproof import TRNode, tr_greater, tr_where
///     >>> x = TRNode.parameter(0.0)
///     >>> y = tr_where(tr_greater(x, 0.0), 1.0 / x, 2.0 * x)
///     >>> y.backward()
///     >>> print(y.value, x.gradient, x.gradient_status.name)
///     0.0 2.0 EXACT
#[pyfunction]
#[pyo3(signature = (condition, a, b, /))]
fn tr_where<'py>(
    condition: &Bound<'py, PyAny>,
    a: &Bound<'py, PyAny>,
    b: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    each("where", &[condition, a, b], |given| match self::condition(&given[0])? {
        Traced::Constant(holds) => choose(holds != 0.0, &given[1..]),
        decided => {
            let operands = [decided, traced(&given[1])?, traced(&given[2])?];
            let trace = common_trace(&operands).expect("the condition is traced");
            tracer(trace, push(trace, Kind::Select, &operands)?)
        }
    })
}

macro_rules! conditions {
    ($($(#[$doc:meta])* $name:ident($($operand:ident),*) = $apply:ident($predicate:ident; $($order:ident),*);)*) => {
        $(
            $(#[$doc])*
            #[pyfunction]
            #[pyo3(signature = ($($operand,)* /))]
            fn $name<'py>($($operand: &Bound<'py, PyAny>),*) -> PyResult<Bound<'py, PyAny>> {
                $apply(Predicate::$predicate, &[$($order),*])
            }
        )*

        pub(super) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
            $(module.add_function(wrap_pyfunction!($name, module)?)?;)*
            module.add_function(wrap_pyfunction!(tr_where, module)?)
        }
    };
}

conditions! {
    /// Whether a < b in the transreal order −∞ < REAL < +∞; false if one of them is Φ.
    ///
    /// Takes TRNodes, TRScalars or numbers and returns a bool; in a traced function, a condition. Arrays, lists
    /// and tuples give an array, element by element.
    ///
    /// Examples:
    ///     >>> from zeroproof import ninf, phi, tr_less
    ///     >>> tr_less(ninf(), 0.0), tr_less(phi(), 0.0)
    ///     (True, False)
    ///     >>> tr_less([1.0, 3.0], 2.0)
    ///     array([ True, False])
    tr_less(a, b) = numerical(Less; a, b);
    /// Whether a ≤ b in the transreal order −∞ < REAL < +∞; false if one of them is Φ.
    ///
    /// Takes TRNodes, TRScalars or numbers and returns a bool; in a traced function, a condition. Arrays, lists
    /// and tuples give an array, element by element.
    ///
    /// Examples:
    ///     >>> from zeroproof import phi, pinf, tr_less_equal
    ///     >>> tr_less_equal(pinf(), pinf()), tr_less_equal(phi(), phi())
    ///     (True, False)
    tr_less_equal(a, b) = numerical(LessEqual; a, b);
    /// Whether a > b in the transreal order −∞ < REAL < +∞; false if one of them is Φ.
    ///
    /// Takes TRNodes, TRScalars or numbers and returns a bool; in a traced function, a condition. Arrays, lists
    /// and tuples give an array, element by element.
    ///
    /// Examples:
    ///     >>> from zeroproof import phi, pinf, tr_greater
    ///     >>> tr_greater(pinf(), 1e300), tr_greater(phi(), 0.0)
    ///     (True, False)
    tr_greater(a, b) = numerical(Less; b, a);
    /// Whether a ≥ b in the transreal order −∞ < REAL < +∞; false if one of them is Φ.
    ///
    /// Takes TRNodes, TRScalars or numbers and returns a bool; in a traced function, a condition. Arrays, lists
    /// and tuples give an array, element by element.
    ///
    /// Examples:
    ///     >>> from zeroproof import phi, pinf, tr_greater_equal
    ///     >>> tr_greater_equal(pinf(), pinf()), tr_greater_equal(phi(), phi())
    ///     (True, False)
    tr_greater_equal(a, b) = numerical(LessEqual; b, a);
    /// Whether a = b by tag, then by value: Φ equals Φ, and −0 equals 0.
    ///
    /// Takes TRNodes, TRScalars or numbers and returns a bool; in a traced function, a condition. Arrays, lists
    /// and tuples give an array, element by element.
    ///
    /// Examples:
    ///     >>> from zeroproof import phi, tr_equal
    ///     >>> tr_equal(phi(), phi()), tr_equal(-0.0, 0.0)
    ///     (True, True)
    tr_equal(a, b) = numerical(Equal; a, b);
    /// Whether a is a finite number.
    ///
    /// Takes a TRNode, TRScalar or number and returns a bool; in a traced function, a condition. Arrays, lists
    /// and tuples give an array, element by element.
    ///
    /// Examples:
    ///     >>> from zeroproof import phi, tr_is_real
    ///     >>> tr_is_real(1.5), tr_is_real(phi())
    ///     (True, False)
    tr_is_real(a) = numerical(IsReal; a);
    /// Whether a is +∞ or −∞.
    ///
    /// Takes a TRNode, TRScalar or number and returns a bool; in a traced function, a condition. Arrays, lists
    /// and tuples give an array, element by element.
    ///
    /// Examples:
    ///     >>> from zeroproof import ninf, phi, tr_is_infinite
    ///     >>> tr_is_infinite(ninf()), tr_is_infinite(phi())
    ///     (True, False)
    tr_is_infinite(a) = numerical(IsInfinite; a);
    /// Whether a is Φ.
    ///
    /// Takes a TRNode, TRScalar or number and returns a bool; in a traced function, a condition. Arrays, lists
    /// and tuples give an array, element by element.
    ///
    /// Examples:
    ///     >>> from zeroproof import real, tr_is_phi
    ///     >>> tr_is_phi(real(0.0) / 0.0)
    ///     True
    tr_is_phi(a) = numerical(IsPhi; a);
    /// Whether both conditions hold. Takes bools and conditions, and arrays of them.
    ///
    /// Examples:
    ///     >>> from zeroproof import tr_and, tr_greater, tr_less
    ///     >>> x = 0.5
    ///     >>> tr_and(tr_greater(x, 0.0), tr_less(x, 1.0))
    ///     True
    tr_and(a, b) = logical(And; a, b);
    /// Whether at least one of the conditions holds. Takes bools and conditions, and arrays of them.
    ///
    /// Examples:
    ///     >>> from zeroproof import tr_is_real, tr_less, tr_or
    ///     >>> x = 2.0
    ///     >>> tr_or(tr_less(x, 0.0), tr_is_real(x))
    ///     True
    tr_or(a, b) = logical(Or; a, b);
    /// Whether the condition does not hold. Takes a bool or a condition, or an array of them.
    ///
    /// Examples:
    ///     >>> from zeroproof import phi, tr_is_phi, tr_not
    ///     >>> tr_not(tr_is_phi(phi()))
    ///     False
    tr_not(a) = logical(Not; a);
}
