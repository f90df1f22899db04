//! What was asked of a batched function besides its arguments, to be recognised.

use super::trees::is_string;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyInt, PyList, PyString, PyTuple};

/// An option of a call, of a type whose equality calls nothing in Python.
pub(super) enum Setting {
    None,
    Bool(bool),
    Int(i64),
    String(Py<PyString>),
    Several(Vec<Setting>),
}

impl Setting {
    /// `None` for what is none of these. A bool is no int here, and a list no tuple.
    pub fn of(object: &Bound<'_, PyAny>) -> Option<Self> {
        if object.is_none() {
            Some(Self::None)
        } else if let Ok(truth) = object.cast_exact::<PyBool>() {
            Some(Self::Bool(truth.is_true()))
        } else if let Ok(int) = object.cast_exact::<PyInt>() {
            int.extract().ok().map(Self::Int)
        } else if let Ok(string) = object.cast_exact::<PyString>() {
            Some(Self::String(string.clone().unbind()))
        } else if let Ok(several) = object.cast_exact::<PyTuple>() {
            several.iter().map(|each| Self::of(&each)).collect::<Option<_>>().map(Self::Several)
        } else {
            None
        }
    }

    /// Whether an object says the same, to the type. Several may be a list, too.
    pub fn is(&self, object: &Bound<'_, PyAny>) -> bool {
        match self {
            Self::None => object.is_none(),
            Self::Bool(truth) => object.cast_exact::<PyBool>().is_ok_and(|other| other.is_true() == *truth),
            Self::Int(int) => object
                .cast_exact::<PyInt>()
                .is_ok_and(|other| other.extract::<i64>().is_ok_and(|other| other == *int)),
            Self::String(string) => is_string(object, string.bind(object.py())),
            Self::Several(several) => {
                let are = |others: &mut dyn ExactSizeIterator<Item = Bound<'_, PyAny>>| {
                    others.len() == several.len() && several.iter().zip(others).all(|(s, other)| s.is(&other))
                };
                if let Ok(tuple) = object.cast_exact::<PyTuple>() {
                    are(&mut tuple.iter())
                } else if let Ok(list) = object.cast_exact::<PyList>() {
                    are(&mut list.iter())
                } else {
                    false
                }
            }
        }
    }
}
