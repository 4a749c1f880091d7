//! Background work that is known by name, told to stop, and waited for.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::FutureExt;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The pause after a panic of what is kept going.
const ANEW: Duration = if cfg!(test) { Duration::ZERO } else { Duration::from_secs(1) };

/// What comes of a part of a task's work; `None` where it panicked, which is logged under `name`. For tasks that hold what they
/// can't be begun anew without, such as the only end of a queue: what the part held is dropped with it, the rest goes on.
pub async fn contained<T>(name: &'static str, work: impl Future<Output = T>) -> Option<T> {
    let outcome = AssertUnwindSafe(work).catch_unwind().await;
    outcome.inspect_err(|_| tracing::error!(task = name, "a part of a background task panicked; it goes on")).ok()
}

/// Every task of the process; cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Tasks {
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl Tasks {
    /// Starts a task. It should watch [`Tasks::stopping`] when it can take long.
    ///
    /// A panic in it is logged under `name` and ends only this task.
    pub fn spawn(&self, name: &'static str, work: impl Future<Output = ()> + Send + 'static) {
        self.tracker.spawn(async move {
            // What the work held is dropped with it: nobody sees it half-changed.
            if AssertUnwindSafe(work).catch_unwind().await.is_err() {
                tracing::error!(task = name, "a background task panicked");
            }
        });
    }

    /// Starts work that is to go on as long as the process: what panics is logged and begun anew after a moment, until it ends by
    /// itself or the process stops.
    pub fn keep<F>(&self, name: &'static str, work: impl Fn() -> F + Send + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let stop = self.stop.clone();
        self.tracker.spawn(async move {
            loop {
                let going = work();
                if AssertUnwindSafe(going).catch_unwind().await.is_ok() {
                    return;
                }
                tracing::error!(task = name, "a background task panicked; it is begun anew");
                tokio::select! {
                    () = tokio::time::sleep(ANEW) => {}
                    () = stop.cancelled() => return,
                }
            }
        });
    }

    /// Runs blocking work on the blocking pool.
    ///
    /// # Errors
    /// When the work panicked.
    pub async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, tokio::task::JoinError> {
        self.tracker.spawn_blocking(work).await
    }

    /// Cancelled once the process is asked to stop.
    pub fn stopping(&self) -> &CancellationToken {
        &self.stop
    }

    /// Asks every task to stop and waits for them, at most `patience`. Returns whether all ended.
    pub async fn stop(&self, patience: Duration) -> bool {
        self.stop.cancel();
        self.tracker.close();
        tokio::time::timeout(patience, self.tracker.wait()).await.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test]
    async fn a_part_that_panics_comes_to_nothing_and_the_rest_goes_on() {
        let breaks = std::future::poll_fn(|_| -> std::task::Poll<u32> { panic!("on purpose") });
        assert_eq!(contained("shaky", breaks).await, None);
        assert_eq!(contained("sound", async { 1 }).await, Some(1));
    }

    #[tokio::test]
    async fn what_is_kept_going_is_begun_anew_after_a_panic_and_ends_with_the_process() {
        let tasks = Tasks::default();
        let (begun, stop) = (Arc::new(AtomicU32::new(0)), tasks.stopping().clone());
        let count = Arc::clone(&begun);
        tasks.keep("shaky", move || {
            let (count, stop) = (Arc::clone(&count), stop.clone());
            async move {
                assert!(count.fetch_add(1, Ordering::SeqCst) >= 2, "on purpose");
                stop.cancelled().await;
            }
        });
        while begun.load(Ordering::SeqCst) < 3 {
            tokio::task::yield_now().await;
        }
        assert!(tasks.stop(Duration::from_secs(5)).await);
        assert_eq!(begun.load(Ordering::SeqCst), 3);
    }
}
