//! error: the trait bound `Point: serde::Deserialize<'de>` is not satisfied

use palitra::Json;

struct Point {
    x: f64,
}

#[palitra::job("ui.payload_without_deserialize")]
async fn payload_without_deserialize(
    Json(point): Json<Point>, // here
) -> String {
    point.x.to_string()
}

fn main() {}
