//! What the objects of the two small classes hold: `TRScalar` a value, `TRNode` a handle.
//!
//! The classes themselves, with their operators and methods, are built in [`scalar`](crate::scalar) and
//! [`node`](crate::node), on top of all that converts and records.

use crate::arena::{self, NodeRef};
use crate::raw::{Class, Payload, new_object, payload};
use pyo3::Borrowed;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use zeroproof::TrScalar;

/// A TR value, which an object of the class holds.
#[derive(Clone, Copy)]
pub(crate) struct TRScalar(pub TrScalar);

impl Payload for TRScalar {
    fn class() -> &'static Class {
        static CLASS: Class = Class::new();
        &CLASS
    }
}

impl From<f64> for TRScalar {
    fn from(value: f64) -> Self {
        Self(value.into())
    }
}

impl<'py> IntoPyObject<'py> for TRScalar {
    type Target = PyAny;
    type Output = Bound<'py, PyAny>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        new_object(py, self)
    }
}

/// A tuple of TR scalars.
pub(crate) fn scalars<'py>(py: Python<'py>, values: &[f64]) -> PyResult<Bound<'py, PyTuple>> {
    PyTuple::new(py, values.iter().map(|&value| TRScalar::from(value)).collect::<Vec<_>>())
}

/// A node, owned by one Python object or by the function that made it.
#[derive(Clone, Copy)]
pub(crate) struct TRNode(pub NodeRef);

impl Payload for TRNode {
    fn class() -> &'static Class {
        static CLASS: Class = Class::new();
        &CLASS
    }

    #[inline(always)]
    fn release(self, py: Python<'_>) {
        arena::release(py, self.0);
    }
}

/// A `TRNode` argument of a function.
impl<'py> FromPyObject<'_, 'py> for TRNode {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        payload(&object).ok_or_else(|| {
            let class = object.get_type().name().map(|name| name.to_string()).unwrap_or_default();
            PyTypeError::new_err(format!("expected a TRNode, not {class}"))
        })
    }
}

/// A node as a result: the object takes the handle over.
impl<'py> IntoPyObject<'py> for TRNode {
    type Target = PyAny;
    type Output = Bound<'py, PyAny>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        new_object(py, self)
    }
}
