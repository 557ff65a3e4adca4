//! A job that logs in each way.

use palitra::job;
use tracing::Instrument;

/// Logs its payload in a span, by `tracing` and by `log`, before and after it has pended, and then from a task.
#[job("test.log", inline)]
async fn log_it(text: String) {
    let page = tracing::info_span!("page", number = 7, kind = tracing::field::Empty);
    page.record("kind", "plain");
    let logging = async {
        tracing::info!(n = 1, "{text}");
        tokio::task::yield_now().await;
        log::warn!("{text} by log");
    };
    logging.instrument(page).await;
    let _ = tokio::spawn(async move { tracing::error!("{text} in a task") }.in_current_span()).await;
}
