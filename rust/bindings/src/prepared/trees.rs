//! Structures of arrays whose containers are lists, tuples and dicts: taken apart and made again.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyTuple};

/// A structure without its leaves. It holds no objects but strings, so none leads back to the one that keeps it.
pub(super) enum Tree {
    Leaf,
    List(Vec<Tree>),
    Tuple(Vec<Tree>),
    Dict(Vec<(Py<PyString>, Tree)>),
}

impl Tree {
    /// That of a description: None for a leaf, else the class of the container and what it holds, for a dict as
    /// pairs of a string and a description.
    pub fn of(description: &Bound<'_, PyAny>) -> PyResult<Self> {
        if description.is_none() {
            return Ok(Self::Leaf);
        }
        let (kind, items): (Bound<'_, PyAny>, Vec<Bound<'_, PyAny>>) = description.extract()?;
        let py = description.py();
        if kind.is(py.get_type::<PyDict>()) {
            let pair = |item: &Bound<'_, PyAny>| {
                let (key, child): (Bound<'_, PyString>, Bound<'_, PyAny>) = item.extract()?;
                Ok((key.unbind(), Self::of(&child)?))
            };
            return items.iter().map(pair).collect::<PyResult<_>>().map(Self::Dict);
        }
        let children = items.iter().map(Self::of).collect::<PyResult<_>>()?;
        if kind.is(py.get_type::<PyTuple>()) {
            Ok(Self::Tuple(children))
        } else if kind.is(py.get_type::<PyList>()) {
            Ok(Self::List(children))
        } else {
            Err(PyValueError::new_err("containers are lists, tuples and dicts"))
        }
    }

    pub fn is_leaf(&self) -> bool {
        matches!(self, Self::Leaf)
    }

    /// Shows the leaves of an object in order, until one is refused. Returns whether it has this structure, the same
    /// order of a dict's keys included, and no leaf was refused. Calls nothing in Python.
    /// `loosely`: lists and tuples may stand for each other.
    pub fn visit<'py>(
        &self,
        object: &Bound<'py, PyAny>,
        loosely: bool,
        leaf: &mut impl FnMut(&Bound<'py, PyAny>) -> bool,
    ) -> bool {
        let mut all = |children: &[Self], items: &mut dyn ExactSizeIterator<Item = Bound<'py, PyAny>>| {
            items.len() == children.len()
                && children.iter().zip(items).all(|(child, item)| child.visit(&item, loosely, leaf))
        };
        match self {
            Self::Leaf => leaf(object),
            Self::Tuple(children) | Self::List(children) => {
                let takes_tuple = loosely || matches!(self, Self::Tuple(_));
                let takes_list = loosely || matches!(self, Self::List(_));
                if let Ok(tuple) = object.cast_exact::<PyTuple>() {
                    takes_tuple && all(children, &mut tuple.iter())
                } else if let Ok(list) = object.cast_exact::<PyList>() {
                    takes_list && all(children, &mut list.iter())
                } else {
                    false
                }
            }
            Self::Dict(children) => object.cast_exact::<PyDict>().is_ok_and(|items| {
                items.len() == children.len()
                    && children.iter().zip(items).all(|((name, child), (key, item))| {
                        is_string(&key, name.bind(key.py())) && child.visit(&item, loosely, leaf)
                    })
            }),
        }
    }

    /// The structure with these leaves.
    pub fn filled<'py>(
        &self,
        py: Python<'py>,
        leaf: &mut impl FnMut() -> PyResult<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        match self {
            Self::Leaf => leaf(),
            Self::Tuple(children) => Ok(PyTuple::new(py, all_filled(py, children, leaf)?)?.into_any()),
            Self::List(children) => Ok(PyList::new(py, all_filled(py, children, leaf)?)?.into_any()),
            Self::Dict(children) => {
                let made = PyDict::new(py);
                for (name, child) in children {
                    made.set_item(name, child.filled(py, leaf)?)?;
                }
                Ok(made.into_any())
            }
        }
    }
}

fn all_filled<'py>(
    py: Python<'py>,
    children: &[Tree],
    leaf: &mut impl FnMut() -> PyResult<Bound<'py, PyAny>>,
) -> PyResult<Vec<Bound<'py, PyAny>>> {
    children.iter().map(|child| child.filled(py, leaf)).collect()
}

/// Whether an object is this string, and of no subclass.
pub(super) fn is_string(object: &Bound<'_, PyAny>, string: &Bound<'_, PyString>) -> bool {
    object.is(string)
        || object.cast_exact::<PyString>().is_ok_and(|other| match (other.to_str(), string.to_str()) {
            (Ok(other), Ok(string)) => other == string,
            _ => false,
        })
}
