//! Places in the user's program: where the interpreter is when something happens.
//!
//! A place is looked up only at an event, by walking the interpreter's frames from the innermost one
//! outwards past the package's own. Places are numbered, each held once and for ever: there are no more
//! than instructions of the program at which something happened.

use crate::guarded::Guarded;
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use std::collections::HashMap;
use std::sync::OnceLock;

/// A place in a program, whose names are held or only looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place<S> {
    file: S,
    function: S,
    numbers: Numbers,
}

/// What tells most places apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Numbers {
    /// The line, and the first one of the function.
    line: u32,
    first_line: u32,
    /// The byte offset of the instruction, which tells places of one line apart.
    instruction: u32,
}

/// The last line, first and last column of the expression, where the interpreter knows them.
type Span = (u32, u32, u32);

#[derive(Default)]
struct Places {
    /// The places with the same numbers, which are mostly one.
    alike: HashMap<Numbers, Vec<u32>>,
    all: Vec<(Place<String>, Option<Span>)>,
}

impl Places {
    fn number(&self, place: &Place<&str>) -> Option<u32> {
        let is_this = |&number: &u32| {
            let (known, _) = &self.all[number as usize];
            known.file == place.file && known.function == place.function
        };
        self.alike.get(&place.numbers)?.iter().copied().find(is_this)
    }

    fn add(&mut self, place: &Place<&str>, span: Option<Span>) -> u32 {
        let number = self.all.len() as u32;
        let (file, function) = (place.file.to_owned(), place.function.to_owned());
        self.all.push((Place { file, function, numbers: place.numbers }, span));
        self.alike.entry(place.numbers).or_default().push(number);
        number
    }
}

static PLACES: Guarded<Places> = Guarded::new(Places::default);

/// The number of no place: there is no Python code around.
pub(crate) const NOWHERE: u32 = u32::MAX;

/// The number of a place that is being looked for.
pub(crate) const PENDING: u32 = NOWHERE - 1;

/// The directory of the package, with a separator behind it: set when the module is initialised, since no
/// Python code may run while a cell is being filled. A hook or finalizer might come back here.
static PACKAGE: OnceLock<String> = OnceLock::new();

/// The place where the interpreter is now.
#[cold]
pub(crate) fn here(py: Python<'_>) -> u32 {
    // What cannot be looked up is nowhere: arithmetic never raises.
    find(py).unwrap_or(NOWHERE)
}

fn find(py: Python<'_>) -> PyResult<u32> {
    // SAFETY: the GIL is held; the reference is borrowed, and null if no code runs.
    let innermost = unsafe { Bound::from_borrowed_ptr_or_opt(py, ffi::PyEval_GetFrame().cast()) };
    let Some(innermost) = innermost else { return Ok(NOWHERE) };
    let Some(package) = PACKAGE.get() else { return Ok(NOWHERE) };
    let (f_code, co_filename) = (intern!(py, "f_code"), intern!(py, "co_filename"));
    let mut frame = innermost.clone();
    let mut code = frame.getattr(f_code)?;
    let mut file = code.getattr(co_filename)?;
    while file.extract::<&str>()?.starts_with(package.as_str()) {
        frame = frame.getattr(intern!(py, "f_back"))?;
        let inside = frame.is_none(); // the package runs itself
        if inside {
            frame = innermost.clone();
        }
        code = frame.getattr(f_code)?;
        file = code.getattr(co_filename)?;
        if inside {
            break;
        }
    }
    let name = code.getattr_opt(intern!(py, "co_qualname"))?;
    let name = name.map_or_else(|| code.getattr(intern!(py, "co_name")), Ok)?;
    let numbers = Numbers {
        line: frame.getattr(intern!(py, "f_lineno"))?.extract().unwrap_or(0),
        first_line: code.getattr(intern!(py, "co_firstlineno"))?.extract()?,
        instruction: frame.getattr(intern!(py, "f_lasti"))?.extract().unwrap_or(0),
    };
    let place = Place { file: file.extract()?, function: name.extract()?, numbers };
    if let Some(number) = PLACES.read(py, |places| places.number(&place)) {
        return Ok(number);
    }
    let span = span(&code, numbers.instruction).unwrap_or(None);
    Ok(PLACES.write(py, |places| match places.number(&place) {
        Some(number) => number, // by who came here meanwhile
        None => places.add(&place, span),
    }))
}

/// The extent of an instruction's expression, from CPython 3.11 on.
fn span(code: &Bound<'_, PyAny>, instruction: u32) -> PyResult<Option<Span>> {
    let Some(positions) = code.getattr_opt("co_positions")? else { return Ok(None) };
    // An instruction is two bytes.
    match positions.call0()?.try_iter()?.nth(instruction as usize / 2) {
        Some(position) => {
            let (_, last, start, end): (Option<u32>, Option<u32>, Option<u32>, Option<u32>) =
                position?.extract()?;
            Ok(last.zip(start).zip(end).map(|((last, start), end)| (last, start, end)))
        }
        None => Ok(None),
    }
}

/// A place as ``(file, function, line, first line, span)``; None for a number that is none's.
#[pyfunction]
pub(crate) fn place(py: Python<'_>, number: u32) -> PyResult<Option<Bound<'_, PyTuple>>> {
    let found = PLACES.read(py, |places| places.all.get(number as usize).cloned());
    let Some((place, span)) = found else { return Ok(None) };
    let Numbers { line, first_line, .. } = place.numbers;
    (place.file, place.function, line, first_line, span).into_pyobject(py).map(Some)
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    let path = py.import("zeroproof")?.getattr("__path__")?.get_item(0)?;
    let package: String = py.import("os.path")?.getattr("join")?.call1((path, ""))?.extract()?;
    PACKAGE.get_or_init(|| package);
    module.add_function(wrap_pyfunction!(place, module)?)
}
