//! `pg.listen`: the notifications of a channel.

use std::future::poll_fn;

use palitra::{Context, Json, State, job};
use serde::Serialize;
use serde_json::json;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_postgres::{AsyncMessage, NoTls};

use super::failure::Failure;
use super::pool::Postgres;

/// How many notifications wait here while the reader is busy; further ones wait at the server.
const WAITING: usize = 64;

#[derive(Serialize)]
struct Notification {
    channel: String,
    payload: String,
}

/// Listens on a channel until it is cancelled. Sends `{"listening": channel}` once nothing can be missed any more, then
/// each notification as `{"channel", "payload"}`. Has a connection of its own, beside those of the pool.
#[job("pg.listen")]
async fn listen(context: Context, pg: State<Postgres>, channel: String) -> Result<(), Failure> {
    let (client, mut connection) = pg.server.config.connect(NoTls).await?;
    let (notify, mut notified) = mpsc::channel(WAITING);
    // Dropped with the job, and that ends the task and with it the connection.
    let mut reading = JoinSet::new();
    reading.spawn(async move {
        while let Some(message) = poll_fn(|cx| connection.poll_message(cx)).await {
            match message {
                Ok(AsyncMessage::Notification(notification)) => drop(notify.send(Ok(notification)).await),
                Ok(_) => {}
                Err(error) => drop(notify.send(Err(error)).await),
            }
        }
    });
    client.batch_execute(&format!("LISTEN \"{}\"", channel.replace('"', "\"\""))).await?;
    context.send(Json(json!({"listening": channel}))).await?;
    while let Some(notification) = notified.recv().await.transpose()? {
        let (channel, payload) = (notification.channel().to_string(), notification.payload().to_string());
        context.send(Json(Notification { channel, payload })).await?;
    }
    Ok(())
}
