//! A thread that does what it is told and is waited for: other threads' heaps, without races.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

type Task = Box<dyn FnOnce() + Send>;

/// A thread that lives as long as this value.
pub struct Worker {
    tasks: Option<Sender<Task>>,
    done: Receiver<()>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    /// Starts the thread.
    #[must_use]
    pub fn start() -> Self {
        let (tasks, inbox) = channel::<Task>();
        let (outbox, done) = channel();
        let thread = std::thread::spawn(move || {
            for task in inbox {
                task();
                // Nobody listens any more when the test failed.
                let _ = outbox.send(());
            }
        });
        Self {
            tasks: Some(tasks),
            done,
            thread: Some(thread),
        }
    }

    /// Has the thread do a task, and waits for its result.
    ///
    /// # Panics
    /// When the task does.
    pub fn run<T: Send + 'static>(&self, task: impl FnOnce() -> T + Send + 'static) -> T {
        let (answer, result) = channel();
        let task: Task = Box::new(move || {
            let _ = answer.send(task());
        });
        let tasks = self.tasks.as_ref().expect("open until dropped");
        tasks.send(task).expect("the worker is alive");
        let result = result.recv().expect("the worker's task did not fail");
        self.done.recv().expect("the worker is alive");
        result
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Closes the channel, which ends the thread's loop.
        self.tasks = None;
        if let Some(thread) = self.thread.take() {
            // A failed task was reported where it was waited for.
            let _ = thread.join();
        }
    }
}
