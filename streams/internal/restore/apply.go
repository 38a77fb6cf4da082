package restore

import (
	"errors"
	"fmt"
	"slices"
	"sort"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/streams/internal/local"
)

// batchBytes ends a batch.
const batchBytes = 1 << 20

// schedule has a job's chunks applied. r.mu is held.
func (r *Restorer) schedule(j *Job) {
	if j.queued || j.busy || j.ended || !j.appliable() {
		return
	}
	j.queued = true
	r.runnable = append(r.runnable, j)
	r.changed.Broadcast()
}

// appliable: something is there that is below the bound.
func (j *Job) appliable() bool {
	return len(j.chunks) > 0 && j.next < j.bound()
}

func (r *Restorer) applyAll() {
	for {
		j, work := r.awaitRunnable()
		if j == nil {
			return
		}
		done, err := j.apply(work)
		r.applied(j, work, done, err)
	}
}

// work is what is applied in one go: chunks up to a bound.
type work struct {
	chunks []chunk
	from   int64
	bound  int64
}

// awaitRunnable takes the first job whose time has come; nil at the end.
func (r *Restorer) awaitRunnable() (*Job, work) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.ctx.Err() == nil {
		i, later := r.nextRunnable()
		if i < 0 {
			r.waitUntil(later)
			continue
		}
		j := r.runnable[i]
		r.runnable = slices.Delete(r.runnable, i, i+1)
		j.queued = false
		if !j.ended && j.appliable() {
			j.busy = true
			return j, work{j.take(), j.next, j.bound()}
		}
	}
	return nil, work{}
}

// nextRunnable is the index of the first job that need not wait, or -1 and when to look
// again.
func (r *Restorer) nextRunnable() (i int, later time.Time) {
	now := r.cfg.Clock()
	for i, j := range r.runnable {
		if !j.retryAt.After(now) {
			return i, time.Time{}
		}
		if later.IsZero() || j.retryAt.Before(later) {
			later = j.retryAt
		}
	}
	return -1, later
}

// take is the chunks for one batch. They stay with the job until they are applied.
func (j *Job) take() []chunk {
	var bytes int64
	for i, c := range j.chunks {
		if bytes += c.bytes; bytes >= batchBytes {
			return j.chunks[:i+1]
		}
	}
	return j.chunks
}

// done is how far applying came.
type done struct {
	next    int64
	records int64
	leftOut int64 // of the records
	chunks  int   // used up
}

// errRecord is of a record that a store cannot take.
var errRecord = errors.New("a changelog record that the store does not understand")

// apply commits one batch, with the offset behind it.
func (j *Job) apply(w work) (d done, err error) {
	b := j.of.cfg.DB.NewBatch()
	defer b.Close()
	d.next = w.from
	var records []*kgo.Record
	for _, c := range w.chunks {
		records = append(records, w.within(c.records)...)
		if d.next = min(c.next, w.bound); d.next == c.next {
			d.chunks++
		}
	}
	d.records = int64(len(records))
	records = j.taken(records)
	d.leftOut = d.records - int64(len(records))
	if err := j.restored(b, records); err != nil {
		return done{next: w.from}, err
	}
	b.SetOffset(j.spec.Space, d.next)
	if at := j.asOf(w, d); !at.IsZero() {
		b.SetAsOf(j.spec.Space, at)
	}
	if err := b.Commit(); err != nil {
		return done{next: w.from}, err
	}
	return d, nil
}

// asOf is since when deletions may be missing in what the batch leaves: of a part of the changelog
// that is when reading it began, of all of it that moment. Zero leaves it at what it was.
func (j *Job) asOf(w work, d done) time.Time {
	if d.chunks > 0 && d.chunks == len(w.chunks) && w.chunks[d.chunks-1].whole {
		return w.chunks[d.chunks-1].asked
	}
	if _, ok := j.spec.Space.Offset(); !ok {
		return w.chunks[0].asked
	}
	return time.Time{}
}

// within are those of a chunk's records that are to be applied.
func (w work) within(records []*kgo.Record) []*kgo.Record {
	search := func(offset int64) int {
		return sort.Search(len(records), func(i int) bool { return records[i].Offset >= offset })
	}
	first := search(w.from)
	return records[first:max(search(w.bound), first)]
}

// taken are the records that processing took, or will: the others are said once a job.
func (j *Job) taken(records []*kgo.Record) []*kgo.Record {
	return j.spec.Store.Taken(records, func(rec *kgo.Record, why error) {
		j.said.Do(func() {
			j.log().Warn("records of a table's topic that cannot be decoded are left out of its store; this is the first", "offset", rec.Offset, "error", why)
		})
	})
}

func (j *Job) restored(b local.Batch, records []*kgo.Record) error {
	if len(records) == 0 {
		return nil
	}
	err := j.spec.Store.Restored(b, j.spec.Space, records)
	if err == nil || errors.Is(err, local.ErrCorrupt) || errors.Is(err, local.ErrFull) {
		return err
	}
	return fmt.Errorf("%w: %s/%d, offsets %d to %d: %w", errRecord, j.spec.Topic, j.spec.Partition,
		records[0].Offset, records[len(records)-1].Offset, err)
}

// applied notes the outcome.
func (r *Restorer) applied(j *Job, w work, d done, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	defer r.changed.Broadcast()
	j.busy = false
	if err == nil {
		j.next = d.next
		j.records += d.records
		j.leftOut += d.leftOut
		if r.restored != nil {
			r.restored.Add(int(d.records - d.leftOut))
			r.leftOut.Add(int(d.leftOut))
		}
	}
	switch {
	case j.ended: // its chunks are forgotten
	case errors.Is(err, local.ErrCorrupt):
		j.clear(err.Error())
	case errors.Is(err, errRecord), errors.Is(err, local.ErrClosed):
		j.log().Error("a store cannot be restored", "error", err)
		j.finish(err)
	case err != nil:
		j.retryAt = j.stumble(err)
		r.schedule(j)
	default:
		if !j.retryAt.IsZero() {
			j.retryAt = time.Time{}
			j.goOn()
		}
		j.drop(d.chunks)
		j.arrive()
		r.schedule(j)
	}
}

// drop takes off the chunks that were applied.
func (j *Job) drop(n int) {
	var bytes int64
	for _, c := range j.chunks[:n] {
		bytes += c.bytes
	}
	clear(j.chunks[:n])
	j.chunks = j.chunks[n:]
	j.bytes -= bytes
	j.of.release(bytes)
}
