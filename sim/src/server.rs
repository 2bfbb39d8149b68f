//! The server's own thread: two listening doors, one connection task each client.

use std::cell::RefCell;
use std::net::TcpListener as StdListener;
use std::sync::Arc;
use std::thread::JoinHandle;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use parking_lot::{Mutex, ReentrantMutex};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use crate::call::Door;
use crate::exchange;
use crate::fault::Plan;
use crate::log::Log;
use crate::site::Site;
use crate::transcript::Transcript;
use crate::world::World;

/// What the server's thread and the test's handles share.
pub(crate) struct Shared {
    pub(crate) log: Log,
    pub(crate) plan: Mutex<Plan>,
    pub(crate) transcript: Option<Transcript>,
    /// Reentrant, because a GraphQL request holds it while each of its resolvers takes it again.
    site: ReentrantMutex<RefCell<Site>>,
}

impl Shared {
    pub(crate) fn new(site: Site, transcript: Option<Transcript>) -> Self {
        Self {
            log: Log::default(),
            plan: Mutex::default(),
            transcript,
            site: ReentrantMutex::new(RefCell::new(site)),
        }
    }

    /// Works on the state under the lock.
    pub(crate) fn site<R>(&self, work: impl FnOnce(&mut Site) -> R) -> R {
        let guard = self.site.lock();
        let mut site = guard.borrow_mut();
        work(&mut site)
    }

    /// Works on one repository under the lock.
    pub(crate) fn world<R>(&self, repository: usize, work: impl FnOnce(&mut World) -> R) -> R {
        self.site(|site| {
            let world = &mut site.worlds[repository];
            world.git.now.set(world.now());
            work(world)
        })
    }

    /// Keeps everybody else out for as long as `work` takes.
    pub(crate) fn alone<R>(&self, work: impl FnOnce() -> R) -> R {
        let _guard = self.site.lock();
        work()
    }
}

/// The server's thread; dropping this stops it.
pub(crate) struct Server {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub(crate) fn start(shared: Arc<Shared>, api: StdListener, uploads: StdListener) -> Self {
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name("github simulator".to_owned())
            .spawn(move || run(&shared, api, uploads, stopped))
            .expect("a thread");
        Self {
            stop: Some(stop),
            thread: Some(thread),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the server's thread has printed itself; a second one here would abort.
            let _ = thread.join();
        }
    }
}

/// Serves both doors until told to stop, then drops every connection.
fn run(shared: &Arc<Shared>, api: StdListener, uploads: StdListener, stop: oneshot::Receiver<()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        tokio::select! {
            () = accept(shared, api, Door::Api) => {}
            () = accept(shared, uploads, Door::Uploads) => {}
            _ = stop => {}
        }
    });
}

async fn accept(shared: &Arc<Shared>, listener: StdListener, door: Door) {
    let listener = TcpListener::from_std(listener).expect("a listener");
    loop {
        if let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(converse(Arc::clone(shared), stream, door));
        }
    }
}

async fn converse(shared: Arc<Shared>, stream: TcpStream, door: Door) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| exchange::exchange(Arc::clone(&shared), door, request));
    // A planned fault drops the connection through this error; it is in the log already.
    let _ = http1::Builder::new()
        .auto_date_header(false)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}
