//! Memory that was used once goes back to the system.
//!
//! A start builds much that it then drops: the command line, the description of every route, the texts of the migrations. So
//! does a burst of work. glibc keeps what came free between what is still in use, and an idle server would hold it for ever.

use std::time::Duration;

use super::Runtime;

/// After the start, when what it built is dropped.
const FIRST: Duration = Duration::from_secs(5);
/// And then again and again.
const EVERY: Duration = Duration::from_mins(10);

/// Starts the task that gives free memory back.
pub fn boot(runtime: &Runtime) {
    let (tasks, stopping) = (runtime.tasks.clone(), runtime.tasks.stopping().clone());
    runtime.tasks.spawn("heap", async move {
        let mut pause = FIRST;
        while tokio::time::timeout(pause, stopping.cancelled()).await.is_err() {
            // Takes some milliseconds where much is free.
            if tasks.blocking(give_back).await.is_err() {
                return;
            }
            pause = EVERY;
        }
    });
}

fn give_back() {
    #[cfg(target_env = "gnu")]
    {
        #[expect(unsafe_code, reason = "asks the allocator for what it has free; it takes its own locks")]
        let _ = unsafe { libc::malloc_trim(0) };
    }
}
