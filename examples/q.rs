use std::time::Instant;
use zeroproof::*;
fn med(mut v: Vec<f64>) -> f64 {
    v.sort_by(f64::total_cmp);
    v[v.len() / 20]
}
fn main() {
    let tape = Tape::new();
    let x = tape.parameter(0.7);
    let c = tape.constant(0.9);
    // chain
    for n in [100usize, 1000, 10_000, 1_000_000] {
        let reps = (2_000_000 / n).max(3);
        let (mut r, mut b, mut d) = (vec![], vec![], vec![]);
        for _ in 0..reps.min(400) {
            let t = Instant::now();
            let mut y = x.clone();
            for _ in 0..n {
                y = &(&y * &c) + &x;
            }
            r.push(t.elapsed().as_nanos() as f64 / (2 * n) as f64);
            let t = Instant::now();
            y.backward().unwrap();
            b.push(t.elapsed().as_nanos() as f64 / (2 * n) as f64);
            let t = Instant::now();
            drop(y);
            d.push(t.elapsed().as_nanos() as f64 / (2 * n) as f64);
        }
        println!(
            "chain {n}: record {:.2} backward {:.2} drop {:.2} bytes/node {:.1}",
            med(r),
            med(b),
            med(d),
            tape.allocated_bytes() as f64 / (2 * n) as f64
        );
    }
    // rational 3/3
    let th: Vec<_> = (0..7).map(|i| tape.parameter(0.1 + i as f64 * 0.1)).collect();
    let n = 200;
    let (mut r, mut b) = (vec![], vec![]);
    for _ in 0..1000 {
        let t = Instant::now();
        let mut loss = tape.constant(0.0);
        for k in 0..n {
            let xx = tape.constant(k as f64 / 100.);
            let p = &th[0] + &xx * (&th[1] + &xx * (&th[2] + &xx * &th[3]));
            let q = 1.0 + &xx * (&th[4] + &xx * (&th[5] + &xx * &th[6]));
            let e = p / q - 0.3;
            loss = loss + &e * &e;
        }
        r.push(t.elapsed().as_nanos() as f64 / (n * 16) as f64);
        let t = Instant::now();
        loss.backward().unwrap();
        b.push(t.elapsed().as_nanos() as f64 / (n * 16) as f64);
    }
    println!("rational: record {:.2} backward {:.2} /op", med(r), med(b));
}
