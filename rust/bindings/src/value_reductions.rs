//! Reductions of values alone, which no op of the table records.

use crate::enums;
use crate::number::expect_number;
use crate::raw::payload;
use crate::tracer::objects::is_traced;
use crate::values::{TRNode, TRScalar};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use zeroproof::{Op, Reduction, TrScalar};

fn reduce<'py>(
    values: &Bound<'py, PyAny>,
    mode: Option<&Bound<'py, PyAny>>,
    reduction: impl FnOnce(Reduction, &[TrScalar]) -> TrScalar,
) -> PyResult<TRScalar> {
    let mode = mode.map_or(Ok(Reduction::Strict), enums::to_reduction)?;
    let objects: Vec<_> = values.try_iter()?.collect::<PyResult<_>>()?;
    let values = objects.iter().map(|object| Ok(expect_number(object)?.into())).collect::<PyResult<Vec<_>>>();
    match values {
        Ok(values) => Ok(TRScalar(reduction(mode, &values))),
        Err(error) => Err(of_values_only(&objects).unwrap_or(error)),
    }
}

/// The error of a reduction that no node records, if there are nodes or tracers to reduce.
#[cold]
fn of_values_only(objects: &[Bound<'_, PyAny>]) -> Option<PyErr> {
    let recorded = |object| payload::<TRNode>(object).is_some() || is_traced(object);
    objects.iter().any(recorded).then(|| {
        PyTypeError::new_err(
            "tr_prod, tr_min and tr_max reduce TR scalars and numbers, not TRNodes or tracers: of these take \
             tr_mul, tr_minimum or tr_maximum of two at a time, as functools.reduce does",
        )
    })
}

macro_rules! reductions {
    ($($(#[$doc:meta])* $function:ident $name:literal, |$values:ident, $mode:ident| $body:expr;)*) => {
        $(
            $(#[$doc])*
            ///
            /// Args:
            ///     values: TRScalars or numbers.
            ///     mode: the ``ReductionMode``: which values are kept; STRICT, all of them, unless given.
            #[pyfunction]
            #[pyo3(name = $name, signature = (values, mode=None))]
            fn $function<'py>(
                values: &Bound<'py, PyAny>,
                mode: Option<&Bound<'py, PyAny>>,
            ) -> PyResult<TRScalar> {
                reduce(values, mode, |$mode, $values| $body)
            }
        )*

        pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
            $(
                // The op of the table, once there is one, reduces nodes as well.
                let name = $name.trim_start_matches("tr_");
                if Op::ALL.iter().all(|op| op.name() != name) {
                    let function = wrap_pyfunction!($function, module)?;
                    function.setattr("__module__", "zeroproof.core")?;
                    module.setattr(format!("_op_{name}"), function)?;
                }
            )*
            Ok(())
        }
    };
}

reductions! {
    /// The product of the values that ``mode`` keeps; the empty product is 1.
    prod "tr_prod", |values, mode| mode.prod(values);
    /// The smallest of the values that ``mode`` keeps; Φ if nothing is kept.
    min "tr_min", |values, mode| mode.min(values).unwrap_or(TrScalar::PHI);
    /// The largest of the values that ``mode`` keeps; Φ if nothing is kept.
    max "tr_max", |values, mode| mode.max(values).unwrap_or(TrScalar::PHI);
}
