package server

import "time"

// patience is how long the client still wants to wait.
func (f *fetch) patience() time.Duration {
	if f.deadline.IsZero() {
		wait := time.Duration(f.req.MaxWaitMillis) * time.Millisecond
		f.deadline = time.Now().Add(min(max(wait, 0), longestFetch))
	}
	return time.Until(f.deadline)
}

// await reads again when there is more, until it is enough or the client's time is over.
// Nothing that was read is held meanwhile.
func (f *fetch) await() {
	patience := f.patience()
	if patience <= 0 {
		return
	}
	f.forget()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	f.watch()
	defer f.unwatch()
	for over := false; ; {
		if f.more() || over {
			f.forget()
			if r := f.read(); over || f.enough(r) {
				return
			}
		}
		select {
		case <-f.news:
		case <-timer.C:
			over = true
		case <-f.call.ctx.Done():
			over = true
		}
	}
}

// forget gives back the memory of what was read.
func (f *fetch) forget() {
	f.memory.release()
	for i := range f.wants {
		f.wants[i].data = nil
	}
}

func (f *fetch) watch() {
	for i := range f.wants {
		if p := f.wants[i].partition; p != nil {
			p.Watch(f.news)
		}
	}
}

func (f *fetch) unwatch() {
	for i := range f.wants {
		if p := f.wants[i].partition; p != nil {
			p.Unwatch(f.news)
		}
	}
}

// more says whether it is worth to read again: where one byte is enough, there is one;
// otherwise the logs have grown by what was missing.
func (f *fetch) more() bool {
	grown := int64(0)
	for i := range f.wants {
		w := &f.wants[i]
		if w.partition == nil {
			continue
		}
		if w.partition.Gone() {
			return true
		}
		l := w.partition.Log()
		w.offsets = l.Offsets()
		if w.offset < w.offsets.Start || f.req.MinBytes <= 1 && w.offset < w.bound(f.committed) {
			return true
		}
		if w.unread && w.bound(f.committed) > w.readable { // which size has already
			return true
		}
		if f.req.MinBytes > 1 {
			grown += l.Size() - w.size + int64(w.read)
		}
	}
	return f.req.MinBytes > 1 && grown >= int64(f.req.MinBytes)
}
