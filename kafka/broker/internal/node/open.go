package node

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pabal-dev/pabal/kafka/broker/internal/commit"
	"github.com/pabal-dev/pabal/kafka/broker/internal/log"
)

const secretBytes = 32

func (n *Node) open(ctx context.Context) error {
	began := time.Now()
	if err := n.given(); err != nil {
		return err
	}
	steps := []func() error{n.takeLock, n.loadMeta, n.openLogs, n.openJournal, n.begin, n.createInternal, ctx.Err}
	for _, step := range steps {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := step(); err != nil {
			return fmt.Errorf("data folder %s: %w", n.o.Dir, err)
		}
	}
	n.started.took = time.Since(began)
	for _, w := range n.started.warnings {
		n.o.Logger.Warn("found on opening the data folder", "what", w)
	}
	return nil
}

// given takes the settings of Options.
func (n *Node) given() error {
	settings := map[string]string{"num.partitions": strconv.Itoa(n.o.Partitions)}
	for name, value := range n.o.Settings {
		settings[name] = value
	}
	if err := checkGiven(settings); err != nil {
		return err
	}
	if v, ok := settings["log.cleaner.dedupe.buffer.size"]; ok {
		n.o.CompactionMemory = int(min(number(v), 1<<40))
	}
	if v, ok := settings["log.retention.check.interval.ms"]; ok {
		n.o.MaintainEvery = min(n.o.MaintainEvery, milliseconds(number(v)))
	}
	n.o.Settings = settings
	return nil
}

func (n *Node) takeLock() (err error) {
	if err := n.o.FS.MkdirAll(n.o.Dir); err != nil {
		return err
	}
	n.lock, err = n.o.FS.Lock(n.o.Dir + "/" + lockFile)
	return err
}

// loadMeta reads meta, or makes it in a new folder, before anything else is there.
func (n *Node) loadMeta() (err error) {
	if n.meta, err = readMeta(n.o.FS, n.o.Dir); err != nil {
		return err
	}
	if n.meta == nil {
		if err := checkNew(n.o.FS, n.o.Dir); err != nil {
			return err
		}
		if err := n.save(newMeta()); err != nil {
			return err
		}
		if err := n.syncAbove(); err != nil {
			return err
		}
	}
	n.cluster, n.secret = n.meta.Cluster, n.meta.Secret
	n.current.Store(&defaults{own: n.meta.Settings, given: n.o.Settings})
	n.catalog.Store(newCatalog(nil))
	if err := n.o.FS.MkdirAll(n.o.Dir + "/" + topicsFolder); err != nil {
		return err
	}
	return removeOrphans(n.o.FS, n.o.Dir, n.meta)
}

// syncAbove makes the name of a new folder last, and those of folders made above it.
func (n *Node) syncAbove() error {
	for dir := path.Clean(n.o.Dir); dir != path.Dir(dir); dir = path.Dir(dir) {
		if err := n.o.FS.SyncDir(path.Dir(dir)); err != nil && !errors.Is(err, fs.ErrPermission) {
			return err
		}
	}
	return nil
}

func newMeta() *meta {
	var id [16]byte
	m := &meta{Secret: make([]byte, secretBytes), Clean: true}
	rand.Read(id[:])
	rand.Read(m.Secret)
	m.Cluster = base64.RawURLEncoding.EncodeToString(id[:])
	return m
}

// openLogs opens the logs of all topics.
func (n *Node) openLogs() error {
	var topics []*Topic
	var all []*Partition
	for _, t := range n.meta.Topics {
		topic := n.newTopic(t)
		topics = append(topics, topic)
		all = append(all, topic.Partitions()...)
	}
	n.catalog.Store(newCatalog(topics))
	n.missingFolders(topics)
	err := parallel(len(all), func(i int) error { return all[i].open() })
	for _, p := range all {
		n.warn(p)
	}
	return err
}

// missingFolders warns of partitions without a folder: they are made before their topic.
func (n *Node) missingFolders(topics []*Topic) {
	for _, t := range topics {
		names, _ := readDir(n.o.FS, t.folder())
		there := map[string]bool{}
		for _, name := range names {
			there[name] = true
		}
		for _, p := range t.Partitions() {
			if !there[strconv.Itoa(int(p.Index))] {
				n.started.warnings = append(n.started.warnings, fmt.Sprintf("%s is missing: %s begins at offset 0 without records", p.folder(), p))
			}
		}
	}
}

func (n *Node) warn(p *Partition) {
	if p.log == nil {
		return
	}
	r := p.log.Report()
	for _, d := range append(append([]log.Damage(nil), r.Truncated...), r.Quarantined...) {
		n.started.warnings = append(n.started.warnings, d.String())
	}
}

// parallel calls f for 0 to count-1 and returns the first error, after which no more are begun.
func parallel(count int, f func(int) error) error {
	return parallelBy(2*runtime.GOMAXPROCS(0), count, f)
}

// waiting is how many at a time do what waits for the disk and needs no memory: syncs that
// come together cost less.
const waiting = 32

func parallelBy(limit, count int, f func(int) error) error {
	var next atomic.Int64
	var group sync.WaitGroup
	var once sync.Once
	var failed error
	for range min(count, limit) {
		group.Go(func() {
			for i := next.Add(1) - 1; i < int64(count); i = next.Add(1) - 1 {
				if err := f(int(i)); err != nil {
					once.Do(func() { failed = err })
					next.Store(int64(count))
				}
			}
		})
	}
	group.Wait()
	return failed
}

func (n *Node) openJournal() (err error) {
	n.journal, n.started.journal, err = commit.Open(n.o.FS, n.journalFolder(), commit.Options{Mode: n.o.Durability}, func(key commit.Key) *log.Log {
		if t := n.catalog.Load().byID[key.Topic]; t != nil {
			if p := t.Partition(key.Partition); p != nil {
				return p.log
			}
		}
		return nil
	})
	for _, name := range n.started.journal.Kept {
		n.started.warnings = append(n.started.warnings, "a damaged journal file is kept as "+name+": acknowledged records may be missing")
	}
	return err
}

func (n *Node) journalFolder() string { return n.o.Dir + "/" + journalFolder }

// begin notes that from now on a start is a clean one only after Close.
func (n *Node) begin() error {
	changed := n.meta.clone()
	if !changed.Clean {
		changed.Epoch++
	}
	for _, t := range n.catalog.Load().sorted {
		for _, p := range t.Partitions() {
			changed.Epoch = max(changed.Epoch, p.log.LastEpoch())
		}
	}
	changed.Clean = false
	n.epoch = changed.Epoch
	return n.save(changed)
}

// abandon lets go of everything without writing, after Open failed.
func (n *Node) abandon() {
	n.closed.Store(true)
	for _, l := range n.keyLogs {
		l.close()
	}
	if n.journal != nil {
		n.journal.Kill()
	}
	n.killLogs()
	if n.lock != nil {
		_ = n.lock.Close()
	}
}

func (n *Node) killLogs() {
	if n.catalog.Load() == nil {
		return
	}
	for _, t := range n.catalog.Load().sorted {
		for _, p := range t.Partitions() {
			if p.log != nil {
				p.log.Kill()
			}
		}
	}
}
