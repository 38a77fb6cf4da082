package commit

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/pabal-dev/pabal/kafka/broker/internal/log"
	"github.com/pabal-dev/pabal/kafka/broker/internal/vfs"
)

// Recovery is what opening a journal found.
type Recovery struct {
	// Batches were read, of which Restored were not in the logs. Unknown are of
	// partitions that there are no logs of: topics that were deleted.
	Batches, Restored, Unknown int
	// Kept are journal files that could not be read to their end though others follow
	// them: damage. They are kept under these names.
	Kept []string
}

// Open replays the journal in a folder, which it makes where it is missing, onto the
// logs, and begins a new one. find returns the open log of a partition, nil where there
// is none. Memory is bounded by the largest batch. In the modes os and memory a journal
// that is there, of an earlier start, is replayed too.
func Open(fs vfs.FS, dir string, opts Options, find func(Key) *log.Log) (*Journal, Recovery, error) {
	opts = opts.withDefaults()
	j := &Journal{fs: fs, dir: dir, opts: opts, done: make(chan struct{}), bell: newDoorbell(), pending: group{logs: map[Key]mark{}}}
	j.changed.L = &j.mu
	j.files = files{fs: fs, dir: dir, limit: opts.FileBytes, syncing: make(chan struct{})}
	close(j.files.syncing)
	recovery, err := j.recover(find)
	if err != nil {
		if j.files.current != nil {
			j.files.close()
		}
		return nil, recovery, fmt.Errorf("open journal %s: %w", dir, err)
	}
	go j.run()
	return j, recovery, nil
}

func (j *Journal) recover(find func(Key) *log.Log) (r Recovery, err error) {
	if err := j.fs.MkdirAll(j.dir); err != nil {
		return r, err
	}
	numbers, err := numbers(j.fs, j.dir)
	if err != nil {
		return r, err
	}
	touched := map[*log.Log]bool{}
	var damaged, torn []uint64
	for _, n := range numbers {
		before := r.Batches
		whole, err := j.replay(n, find, touched, &r)
		if err != nil {
			return r, fmt.Errorf("%s: %w", fileName(n), err)
		}
		if r.Batches > before { // the file before this one was whole, when this one was begun
			damaged, torn = append(damaged, torn...), nil
		}
		if !whole {
			torn = append(torn, n)
		}
	}
	for l := range touched {
		if err := l.Checkpoint(); err != nil {
			return r, err
		}
	}
	return r, j.restart(numbers, damaged, &r)
}

// restart begins a new file and removes the old ones, whose batches the logs have.
func (j *Journal) restart(numbers, damaged []uint64, r *Recovery) error {
	number := uint64(1)
	if n := len(numbers); n > 0 {
		number = numbers[n-1] + 1
	}
	if err := j.files.begin(nil, number); err != nil {
		return err
	}
	for _, n := range numbers {
		name := j.dir + "/" + fileName(n)
		if !slices.Contains(damaged, n) {
			if err := j.fs.Remove(name); err != nil {
				return err
			}
			continue
		}
		r.Kept = append(r.Kept, name+".quarantine")
		if err := j.fs.Rename(name, name+".quarantine"); err != nil {
			return err
		}
	}
	return j.fs.SyncDir(j.dir)
}

// Remove removes a journal that was closed, so that the next Open has nothing to read. The
// logs have what it has once they are closed too, without an error: call it then.
func Remove(fs vfs.FS, dir string) error {
	all, err := numbers(fs, dir)
	if err != nil {
		return err
	}
	for _, n := range all {
		if err := fs.Remove(dir + "/" + fileName(n)); err != nil {
			return err
		}
	}
	return fs.SyncDir(dir)
}

func numbers(fs vfs.FS, dir string) ([]uint64, error) {
	names, err := fs.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var numbers []uint64
	for _, name := range names {
		if n, ok := fileNumber(name); ok {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	return numbers, nil
}

// replay restores the batches of one file, up to the first frame that is none of it.
// whole says that the file was read to the end that it was given.
func (j *Journal) replay(number uint64, find func(Key) *log.Log, touched map[*log.Log]bool, r *Recovery) (whole bool, err error) {
	f, err := j.fs.Open(j.dir + "/" + fileName(number))
	if err != nil {
		return false, err
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return false, err
	}
	for pos := int64(0); ; {
		frame, err := frameAt(f, pos, size)
		if errors.Is(err, errFrame) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		key, batch, err := readFrame(frame, number)
		if err != nil {
			return false, nil
		}
		if len(batch) == 0 {
			return true, nil
		}
		if err := restore(find(key), batch, touched, r); err != nil {
			return false, fmt.Errorf("at %d: %w", pos, err)
		}
		pos += int64(len(frame))
	}
}

func restore(l *log.Log, batch []byte, touched map[*log.Log]bool, r *Recovery) error {
	r.Batches++
	if l == nil {
		r.Unknown++
		return nil
	}
	missing, err := l.Restore(batch)
	if missing {
		r.Restored++
	}
	touched[l] = true
	return err
}

func frameAt(f io.ReaderAt, pos, size int64) ([]byte, error) {
	if size-pos < frameHeader {
		return nil, errFrame
	}
	var header [frameHeader]byte
	if n, err := f.ReadAt(header[:], pos); n < frameHeader {
		return nil, err
	}
	n := int64(frameSize(header[:]))
	if n > maxFrame || n > size-pos {
		return nil, errFrame
	}
	frame := make([]byte, n)
	if got, err := f.ReadAt(frame, pos); int64(got) < n {
		return nil, err
	}
	return frame, nil
}
