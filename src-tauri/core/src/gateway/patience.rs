//! A line whose other end must take what it is given: somebody who asks for a large answer and does not read it would keep one of our
//! connections, and what is written for it, for ever.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

/// What has to be taken within one [`Patient::limit`] while something waits to be written: a phone with the worst of receptions takes more.
const LEAST: usize = 8 * 1024;

/// `stream`, given up when its other end does not read.
pub struct Patient<S> {
    stream: S,
    limit: Duration,
    /// Runs from the moment that something could not be written at once, until all of it was.
    waiting: Option<Pin<Box<Sleep>>>,
    /// What was taken since then.
    taken: usize,
}

impl<S> Patient<S> {
    /// A line that is given up when less than [`LEAST`] is taken within `limit`.
    pub fn new(stream: S, limit: Duration) -> Self {
        Self { stream, limit, waiting: None, taken: 0 }
    }

    /// Notes how a write went; an error when the other end has had its time.
    fn judged(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match written {
            Poll::Ready(written) => {
                self.taken = self.taken.saturating_add(*written.as_ref().unwrap_or(&0));
                Poll::Ready(written)
            }
            Poll::Pending => {
                let (limit, taken) = (self.limit, &mut self.taken);
                let waiting = self.waiting.get_or_insert_with(|| {
                    *taken = 0;
                    Box::pin(tokio::time::sleep(limit))
                });
                ready!(waiting.as_mut().poll(cx));
                if *taken < LEAST {
                    return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the other end does not read")));
                }
                *taken = 0;
                waiting.as_mut().reset(Instant::now() + limit);
                // So that the next end of the time is heard.
                match waiting.as_mut().poll(cx) {
                    Poll::Pending => Poll::Pending,
                    Poll::Ready(()) => Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the other end does not read"))),
                }
            }
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.judged(cx, written)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bufs: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.judged(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// Called once everything was written: nobody is waited for any more.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        self.waiting = None;
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

    use super::*;

    const LIMIT: Duration = Duration::from_millis(400);

    /// Reads `piece` bytes after each `pause` until the line ends; how many in all.
    fn reader(mut far: DuplexStream, piece: usize, pause: Duration) -> tokio::task::JoinHandle<usize> {
        tokio::spawn(async move {
            let (mut piece, mut all) = (vec![0; piece], 0);
            loop {
                tokio::time::sleep(pause).await;
                match far.read(&mut piece).await.unwrap_or(0) {
                    0 => return all,
                    read => all += read,
                }
            }
        })
    }

    async fn write(line: &mut Patient<DuplexStream>, bytes: usize) -> io::Result<()> {
        line.write_all(&vec![7; bytes]).await?;
        line.flush().await
    }

    #[tokio::test]
    async fn who_takes_nothing_is_given_up() {
        let (near, _far) = tokio::io::duplex(1024);
        let mut line = Patient::new(near, LIMIT);
        assert_eq!(write(&mut line, 100_000).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn who_takes_slowly_is_not_and_gets_everything() {
        let (near, far) = tokio::io::duplex(1024);
        let reading = reader(far, 1024, Duration::from_millis(20));
        let mut line = Patient::new(near, LIMIT);
        let started = Instant::now();
        write(&mut line, 60_000).await.unwrap();
        assert!(started.elapsed() > LIMIT, "it took longer than the limit");
        drop(line);
        assert_eq!(reading.await.unwrap(), 60_000);
    }

    #[tokio::test]
    async fn drops_now_and_then_are_not_enough() {
        let (near, far) = tokio::io::duplex(1024);
        let reading = reader(far, 100, Duration::from_millis(50));
        let mut line = Patient::new(near, LIMIT);
        assert_eq!(write(&mut line, 100_000).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
        drop(line);
        assert!(reading.await.unwrap() < LEAST * 2);
    }

    #[tokio::test]
    async fn a_line_that_was_slow_once_and_then_quiet_is_waited_for_anew() {
        let (near, far) = tokio::io::duplex(16);
        let reading = reader(far, 16, Duration::from_millis(40));
        let mut line = Patient::new(near, LIMIT);
        write(&mut line, 64).await.unwrap();
        tokio::time::sleep(LIMIT * 2).await;
        write(&mut line, 64).await.unwrap();
        drop(line);
        assert_eq!(reading.await.unwrap(), 128);
    }
}
