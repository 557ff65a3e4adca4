//! error: the trait bound `Point: serde::Serialize` is not satisfied

use palitra::{Items, Json};

struct Point;

#[palitra::job("ui.items_without_serialize")]
async fn items_without_serialize(
    items: Items<Json<Point>>, // here
) {
    drop(items);
}

fn main() {}
