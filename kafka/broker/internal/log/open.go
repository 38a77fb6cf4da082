package log

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/kafka/broker/internal/producer"
	"github.com/pabal-dev/pabal/kafka/broker/internal/vfs"
)

// Report is what opening a log found.
type Report struct {
	// Scanned is how many bytes were read and checked.
	Scanned int64
	// Truncated are torn tails that were cut off: bytes that no batch followed.
	Truncated []Damage
	// Quarantined are damaged parts that batches followed, or that were synced once.
	Quarantined []Damage
}

// Damage is a part of a file that is no batches.
type Damage struct {
	File string
	// As is the name under which the bytes were kept; empty where nothing was left.
	As string
	// At is the position of the damage, Offset that of the batch that should be there.
	At, Offset int64
	Reason     string
}

// String is a sentence for the log.
func (d Damage) String() string {
	kept := "cut off"
	if d.As != "" {
		kept = "kept as " + d.As
	}
	return fmt.Sprintf("%s: damaged at byte %d, offset %d (%s); %s", d.File, d.At, d.Offset, d.Reason, kept)
}

// Open opens the log in a folder, which it makes where it is missing. What was appended
// after the last checkpoint is read and checked, with bounded memory, and synced: the
// high watermark is then the log's end. now is the broker's clock.
func Open(fsys vfs.FS, dir string, config Config, now func() time.Time) (*Log, error) {
	l := &Log{fs: fsys, dir: dir, now: now, config: config.withDefaults(), producers: producer.New()}
	if err := l.recover(); err != nil {
		for _, s := range l.segments {
			_ = s.file.Close()
		}
		return nil, fmt.Errorf("open log %s: %w", dir, err)
	}
	return l, nil
}

// Report returns what opening the log found.
func (l *Log) Report() Report { return l.report }

func (l *Log) recover() error {
	if err := l.fs.MkdirAll(l.dir); err != nil {
		return err
	}
	if err := l.fs.SyncDir(path.Dir(l.dir)); err != nil {
		return err
	}
	c, err := l.readCheckpoint()
	if err != nil {
		return err
	}
	names, err := l.files(c)
	if err != nil {
		return err
	}
	r := &recovery{Log: l, checkpoint: c}
	if err := r.segmentsOf(names); err != nil {
		return err
	}
	if err := r.finish(); err != nil {
		return err
	}
	if c != nil && l.report.Scanned == 0 && len(l.report.Quarantined)+len(l.report.Truncated) == 0 && !r.changed {
		return nil
	}
	return l.checkpoint(0)
}

func (l *Log) readCheckpoint() (*checkpoint, error) {
	c, producers, err := readCheckpoint(l.fs, l.dir)
	if errors.Is(err, errCheckpoint) {
		file := l.dir + "/" + checkpointFile
		as := file + quarantineSuffix
		l.report.Quarantined = append(l.report.Quarantined, Damage{File: file, As: as, Reason: err.Error()})
		return nil, l.fs.Rename(file, as)
	}
	if err != nil || c == nil {
		return nil, err
	}
	l.producers, l.start, l.next, l.cleaned, l.epochs = producers, c.start, c.next, c.cleaned, c.epochs
	return c, nil
}

const quarantineSuffix = ".quarantine"

// files returns the segments that count, by base, and removes what a crash left beside.
func (l *Log) files(c *checkpoint) ([]segmentName, error) {
	all, err := l.fs.ReadDir(l.dir)
	if err != nil {
		return nil, err
	}
	var names []segmentName
	for _, file := range all {
		if n, ok := parseSegmentName(file); ok {
			names = append(names, n)
		} else if strings.HasSuffix(file, newSuffix) {
			if err := l.fs.Remove(l.dir + "/" + file); err != nil {
				return nil, err
			}
		}
	}
	counting, gone := supersede(names)
	if c != nil {
		counting, gone = below(c.start, counting, gone)
	}
	for _, n := range gone {
		if err := l.fs.Remove(l.dir + "/" + n.String() + segmentSuffix); err != nil {
			return nil, err
		}
		if err := l.fs.Remove(l.dir + "/" + n.String() + indexSuffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	return counting, nil
}

// newSuffix is that of files that are being written, as in vfs.WriteFile.
const newSuffix = ".new"

// supersede splits names into those that count, by base, and those whose offsets a
// higher generation has.
func supersede(names []segmentName) (counting, gone []segmentName) {
	slices.SortFunc(names, func(a, b segmentName) int { return b.gen - a.gen })
	for _, n := range names {
		covered := slices.ContainsFunc(counting, func(by segmentName) bool { return by.covers(n) })
		if covered {
			gone = append(gone, n)
		} else {
			counting = append(counting, n)
		}
	}
	slices.SortFunc(counting, func(a, b segmentName) int { return int(min(max(a.base-b.base, -1), 1)) })
	return counting, gone
}

func (n segmentName) covers(other segmentName) bool {
	return n.gen > other.gen && n.base <= other.base && other.base < n.end
}

// below moves segments that end at or below the log start to those that are gone.
func below(start int64, counting, gone []segmentName) ([]segmentName, []segmentName) {
	for len(counting) > 1 && counting[1].base <= start {
		gone = append(gone, counting[0])
		counting = counting[1:]
	}
	return counting, gone
}

// finish sets what follows from the segments.
func (r *recovery) finish() error {
	if n := len(r.segments); n > 0 {
		r.next = max(r.next, r.segments[n-1].next)
	}
	if len(r.segments) == 0 || r.active().next != r.next || r.active().idx == nil {
		r.changed = true
		if err := r.roll(r.next); err != nil {
			return err
		}
	}
	r.start = max(r.start, r.segments[0].base)
	if r.cleaned > r.start { // nobody has noted whether there are tombstones, nor since when
		r.horizon = r.millis() + r.config.DeleteRetention.Milliseconds()
	}
	r.highWatermark = r.next
	r.restable()
	return nil
}
