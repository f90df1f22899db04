//! `TRScalar`.

use crate::arrays::{operator_of, with_array};
use crate::enums;
use crate::flags;
use crate::number::{expect_number, integer_exponent};
use crate::operand::{Comparand, Operand, comparand, operand};
use crate::raw::{
    Payload, Spec, compare_slot, guard, method, new_object, payload, property, set_functions, slot,
};
use crate::values::{TRNode, TRScalar};
use pyo3::basic::CompareOp;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyFloat, PyList, PyTuple};
use pyo3::{Borrowed, IntoPyObjectExt, ffi};
use std::ffi::{CStr, c_int, c_void};
use zeroproof::op::Arity;
use zeroproof::{Op, TrScalar, TrTag};

/// The value of an op.
#[inline(always)]
pub(crate) fn computed(op: Op, a: f64, b: f64) -> TRScalar {
    let value = op.value(a, b);
    let b = if op.arity() == Arity::Binary { b } else { a };
    flags::after(op, a, b, value);
    value.into()
}

/// `op(a, b)` for a number slot; `NotImplemented` leaves the word to a node or to what is no number.
#[inline(always)]
fn binary<'py>(
    py: Python<'py>,
    op: Op,
    a: &Bound<'py, PyAny>,
    b: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    match (operand(a)?, operand(b)?) {
        (Some(Operand::Value(a)), Some(Operand::Value(b))) => new_object(py, computed(op, a, b)),
        (Some(_), Some(_)) => Ok(py.NotImplemented().into_bound(py)),
        _ => with_array(operator_of(op), a, b),
    }
}

/// The value that a slot or method was called on.
#[inline(always)]
fn this(object: &Bound<'_, PyAny>) -> PyResult<TrScalar> {
    let value = payload::<TRScalar>(object).map(|scalar| scalar.0);
    value.ok_or_else(|| PyTypeError::new_err("expected a TRScalar"))
}

fn receiver(object: Option<Bound<'_, PyAny>>) -> PyResult<TrScalar> {
    this(&object.expect("a method has a receiver"))
}

fn rich_compare<'py>(
    py: Python<'py>,
    a: &Bound<'py, PyAny>,
    b: &Bound<'py, PyAny>,
    op: CompareOp,
) -> PyResult<Bound<'py, PyAny>> {
    match payload::<TRNode>(b) {
        Some(_) => Ok(py.NotImplemented().into_bound(py)),
        None => compare(this(a)?, a, b, op, py),
    }
}

const DOC: &CStr = c"TRScalar(value, /)\n--\n\n\
A transreal number: a finite double (REAL), +\u{221e}, \u{2212}\u{221e} or nullity \u{3a6}.\n\n\
Immutable. Every operation is total and never raises for a value. Make one with ``real(x)``,\n\
``pinf()``, ``ninf()``, ``phi()`` or ``from_ieee(x)``; ``TRScalar(x)`` takes every double as\n\
``from_ieee`` does.\n\n\
Examples:\n    \
>>> from zeroproof import TRScalar\n    \
>>> x = TRScalar(2.0)\n    \
>>> x.value, x.tag.name, x.item()\n    \
(2.0, 'REAL', 2.0)\n    \
>>> x / 0.0, (x - x) / 0.0\n    \
(TRScalar(+\u{221e}), TRScalar(\u{3a6}))\n    \
>>> x.sqrt(), x.clip(0.0, 1.0), TRScalar(2.6).round(), x.conjugate()\n    \
(TRScalar(1.4142135623730951), TRScalar(1.0), TRScalar(3.0), TRScalar(2.0))";

/// `tp_new`: every double has its TR value.
unsafe extern "C" fn new(
    _class: *mut ffi::PyTypeObject,
    args: *mut ffi::PyObject,
    kwargs: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: the interpreter passes a tuple and a dictionary or null, with the GIL held.
    unsafe {
        guard(|py| {
            let args = Borrowed::from_ptr(py, args).cast_unchecked::<PyTuple>();
            if args.len() != 1 || !(kwargs.is_null() || ffi::PyDict_Size(kwargs) == 0) {
                return Err(PyTypeError::new_err("TRScalar() takes one positional argument"));
            }
            new_object(py, TRScalar::from(expect_number(&args.get_item(0)?)?))
        })
    }
}

fn properties() -> Vec<ffi::PyGetSetDef> {
    vec![
        property!(c"value", c"The number of a REAL, NaN for every other tag.", |py, x| {
            let value = this(x)?;
            let number = if value.is_real() { value.to_ieee() } else { f64::NAN };
            number.into_bound_py_any(py)
        }),
        property!(c"tag", c"The class of the value.", |py, x| enums::tag(py, this(x)?.tag())),
    ]
}

fn methods() -> Vec<ffi::PyMethodDef> {
    vec![
        method!(c"__format__", 0, c"__format__($self, format_spec, /)\n--\n\n", |py, x, arguments| {
            let [spec] = arguments.exactly("__format__")?;
            format(receiver(x)?, &spec.extract::<String>()?, py)?.into_bound_py_any(py)
        }),
        method!(
            c"item",
            0,
            c"item($self)\n--\n\nThe value as a float: ``inf``, ``-inf`` and NaN for +\u{221e}, \u{2212}\u{221e} and \u{3a6}.",
            |py, x, arguments| {
                arguments.exactly::<0>("item")?;
                receiver(x)?.to_ieee().into_bound_py_any(py)
            }
        ),
        method!(c"__reduce__", 0, c"__reduce__($self)\n--\n\n", |py, x, arguments| {
            arguments.exactly::<0>("__reduce__")?;
            (TRScalar::class().bind(py), (receiver(x)?.to_ieee(),)).into_bound_py_any(py)
        }),
    ]
}

fn slots() -> Vec<ffi::PyType_Slot> {
    use ffi::{Py_hash_t, PyObject};
    vec![
        ffi::PyType_Slot { slot: ffi::Py_tp_new, pfunc: new as *mut c_void },
        slot!(Py_nb_add, (a, b) -> *mut PyObject, |py| binary(py, Op::Add, a, b)),
        slot!(Py_nb_subtract, (a, b) -> *mut PyObject, |py| binary(py, Op::Sub, a, b)),
        slot!(Py_nb_multiply, (a, b) -> *mut PyObject, |py| binary(py, Op::Mul, a, b)),
        slot!(Py_nb_true_divide, (a, b) -> *mut PyObject, |py| binary(py, Op::Div, a, b)),
        slot!(Py_nb_remainder, (a, b) -> *mut PyObject, |py| binary(py, Op::Remainder, a, b)),
        slot!(Py_nb_negative, (a) -> *mut PyObject, |py| new_object(py, TRScalar(-this(a)?))),
        slot!(Py_nb_absolute, (a) -> *mut PyObject, |py| new_object(py, TRScalar(this(a)?.abs()))),
        slot!(Py_nb_positive, (a) -> *mut PyObject, |_py| Ok(Bound::clone(a))),
        slot!(Py_nb_power, (a, n, modulus) -> *mut PyObject, |py| {
            no_modulus(modulus)?;
            match (payload::<TRScalar>(a), integer_exponent(n)?) {
                (Some(base), Some(0)) => new_object(py, TRScalar(flags::keeping(|| base.0.unit()))),
                (Some(base), Some(n)) => {
                    new_object(py, TRScalar(flags::keeping(|| base.0.pow_int(n))))
                }
                _ => binary(py, Op::Pow, a, n),
            }
        }),
        slot!(Py_nb_bool, (a) -> c_int, |_py| Ok(this(a)?.is_truthy())),
        slot!(Py_nb_float, (a) -> *mut PyObject, |py| this(a)?.to_ieee().into_bound_py_any(py)),
        slot!(Py_tp_hash, (a) -> Py_hash_t, |py| hash(py, this(a)?)),
        slot!(Py_tp_str, (a) -> *mut PyObject, |py| text(this(a)?, py)?.into_bound_py_any(py)),
        slot!(Py_tp_repr, (a) -> *mut PyObject, |py| {
            format!("TRScalar({})", text(this(a)?, py)?).into_bound_py_any(py)
        }),
        compare_slot!(rich_compare),
    ]
}

/// Refuses `pow(a, n, modulus)`.
pub(crate) fn no_modulus(modulus: &Bound<'_, PyAny>) -> PyResult<()> {
    if modulus.is_none() {
        return Ok(());
    }
    Err(PyTypeError::new_err("pow() with a modulus is not defined here"))
}

/// Equal numbers hash alike, so a REAL or an infinity hashes as its float does; Φ equals itself and
/// has a hash of its own.
fn hash(py: Python<'_>, value: TrScalar) -> PyResult<isize> {
    match value.tag() {
        TrTag::Phi => Ok(0x5068_6921),
        _ => PyFloat::new(py, value.to_ieee()).hash(),
    }
}

/// The transreal comparison of `own`, whose value is `this`, with an object; `NotImplemented` for what
/// is neither a number nor an array.
pub(crate) fn compare<'py>(
    this: TrScalar,
    own: &Bound<'py, PyAny>,
    object: &Bound<'py, PyAny>,
    op: CompareOp,
    py: Python<'py>,
) -> PyResult<Bound<'py, PyAny>> {
    let other = match comparand(object)? {
        Comparand::Value(value) => value,
        Comparand::Number(number) => {
            return PyFloat::new(py, this.to_ieee())
                .rich_compare(number, op)?
                .is_truthy()?
                .into_bound_py_any(py);
        }
        Comparand::Other => {
            let operator = match op {
                CompareOp::Eq => "eq",
                CompareOp::Ne => "ne",
                CompareOp::Lt => "lt",
                CompareOp::Le => "le",
                CompareOp::Gt => "gt",
                CompareOp::Ge => "ge",
            };
            return with_array(operator, own, object);
        }
    };
    let result = flags::keeping(|| match op {
        CompareOp::Eq => this == other,
        CompareOp::Ne => this != other,
        CompareOp::Lt => this < other,
        CompareOp::Le => this.tag() != TrTag::Phi && this <= other,
        CompareOp::Gt => this > other,
        CompareOp::Ge => this.tag() != TrTag::Phi && this >= other,
    });
    result.into_bound_py_any(py)
}

/// A REAL as Python writes a float; `+∞`, `−∞` and `Φ` otherwise.
pub(crate) fn text(value: TrScalar, py: Python<'_>) -> PyResult<String> {
    if value.is_real() {
        Ok(PyFloat::new(py, value.to_ieee()).repr()?.to_string())
    } else {
        Ok(value.to_string())
    }
}

/// A REAL as a float with this format; the symbols of the others take its width and alignment.
pub(crate) fn format(value: TrScalar, spec: &str, py: Python<'_>) -> PyResult<String> {
    if spec.is_empty() {
        return text(value, py);
    }
    let number = PyFloat::new(py, value.to_ieee()).call_method1("__format__", (spec,))?.to_string();
    if value.is_real() {
        return Ok(number);
    }
    let (symbol, width) = (value.to_string(), number.chars().count());
    let number = number.trim_end_matches('%');
    let padded = number.len() != number.trim().len() || width > "-inf%".len();
    Ok(match (padded, number.starts_with(' '), number.ends_with(' ')) {
        (false, ..) => symbol,
        (true, true, true) => format!("{symbol:^width$}"),
        (true, false, true) => format!("{symbol:<width$}"),
        (true, ..) => format!("{symbol:>width$}"),
    })
}

/// `real(x)`: finite numbers only.
fn real(value: &Bound<'_, PyAny>) -> PyResult<TRScalar> {
    let number = expect_number(value)?;
    TrScalar::real(number).map(TRScalar).ok_or_else(|| {
        PyValueError::new_err(format!(
            "real() takes a finite number, not {number}; from_ieee() takes every double"
        ))
    })
}

fn functions() -> Vec<ffi::PyMethodDef> {
    vec![
        method!(
            c"real",
            0,
            c"real(value, /)\n--\n\nA REAL value: a finite number.\n\n\
              Raises:\n    ValueError: for an infinity or a NaN; ``from_ieee`` takes those.\n\n\
              Examples:\n    \
              >>> from zeroproof import real\n    \
              >>> real(0.5) / 0.0\n    \
              TRScalar(+\u{221e})",
            |py, _module, arguments| {
                let [value] = arguments.exactly("real")?;
                new_object(py, real(value)?)
            }
        ),
        method!(
            c"pinf",
            0,
            c"pinf()\n--\n\nPositive infinity.\n\n\
              Examples:\n    \
              >>> from zeroproof import pinf\n    \
              >>> pinf() - 1.0, 1.0 / pinf(), pinf() - pinf()\n    \
              (TRScalar(+\u{221e}), TRScalar(0.0), TRScalar(\u{3a6}))",
            |py, _module, arguments| {
                arguments.exactly::<0>("pinf")?;
                new_object(py, TRScalar(TrScalar::PINF))
            }
        ),
        method!(
            c"ninf",
            0,
            c"ninf()\n--\n\nNegative infinity.\n\n\
              Examples:\n    \
              >>> from zeroproof import ninf\n    \
              >>> ninf() < -1e308, ninf() * -1.0\n    \
              (True, TRScalar(+\u{221e}))",
            |py, _module, arguments| {
                arguments.exactly::<0>("ninf")?;
                new_object(py, TRScalar(TrScalar::NINF))
            }
        ),
        method!(
            c"phi",
            0,
            c"phi()\n--\n\nNullity, the value of 0/0.\n\n\
              Examples:\n    \
              >>> from zeroproof import phi\n    \
              >>> phi() == phi(), phi() < 0.0, 0.0 * phi()\n    \
              (True, False, TRScalar(\u{3a6}))",
            |py, _module, arguments| {
                arguments.exactly::<0>("phi")?;
                new_object(py, TRScalar(TrScalar::PHI))
            }
        ),
    ]
}

/// The TR scalars of a flat list of doubles.
#[pyfunction]
fn scalars_from_doubles<'py>(py: Python<'py>, values: Vec<f64>) -> PyResult<Bound<'py, PyList>> {
    PyList::new(py, values.into_iter().map(TRScalar::from))
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let spec = Spec {
        name: c"zeroproof.core.TRScalar",
        doc: DOC,
        slots: slots(),
        methods: methods(),
        properties: properties(),
    };
    module.add("TRScalar", spec.build::<TRScalar>(module.py())?)?;
    set_functions(module, "", "zeroproof.core", functions())?;
    module.add_function(wrap_pyfunction!(scalars_from_doubles, module)?)
}
