//! error: the trait bound `Point: serde::Serialize` is not satisfied

use palitra::Json;

struct Point;

#[palitra::job("ui.reply_without_serialize")]
async fn reply_without_serialize() -> Json<Point> { // here
    Json(Point)
}

fn main() {}
