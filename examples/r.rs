use zeroproof::*;
#[inline(never)]
fn chain<'t>(x: &Var<'t>, c: &Var<'t>, n: usize) -> Var<'t> {
    let mut y = x.clone();
    for _ in 0..n {
        y = &(&y * c) + x;
    }
    y
}
fn main() {
    let tape = Tape::new();
    let x = tape.parameter(0.7);
    let c = tape.constant(0.9);
    let n: usize = std::env::args().nth(1).unwrap().parse().unwrap();
    let mut v = vec![];
    let mut w = vec![];
    for _ in 0..n {
        let t = std::time::Instant::now();
        std::hint::black_box(chain(&x, &c, 1000));
        v.push(t.elapsed().as_nanos() as f64 / 2000.);
        let t = std::time::Instant::now();
        let mut a = std::hint::black_box(1u64);
        for _ in 0..2000 {
            a = std::hint::black_box(a * 3);
        }
        w.push(t.elapsed().as_nanos() as f64 / 2000.);
    }
    v.sort_by(f64::total_cmp);
    w.sort_by(f64::total_cmp);
    for q in [0, 5, 25, 50, 75, 95] {
        println!("{q}%: {:.2} ns/op  mul {:.2}", v[n * q / 100], w[n * q / 100]);
    }
}
