package run

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/streams/internal/task"
)

// processID names this process's folder: it is kept there, so that whoever uses the folder
// next, one at a time, aborts what the last one left open.
func processID(files vfs.FS, path string) (string, error) {
	if files == nil {
		files = vfs.Default
	}
	if id, err := readFile(files, path); err == nil && goodID.MatchString(id) {
		return id, nil
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read the id of the folder: %w", err)
	}
	id := strings.ToLower(rand.Text()[:16])
	f, err := files.Create(path, vfs.WriteCategoryUnspecified)
	if err != nil {
		return "", fmt.Errorf("write the id of the folder: %w", err)
	}
	_, err = f.Write([]byte(id))
	if err = errors.Join(err, f.Sync(), f.Close(), syncFolder(files, filepath.Dir(path)), syncFolder(files, filepath.Dir(filepath.Dir(path)))); err != nil {
		return "", fmt.Errorf("write the id of the folder: %w", err)
	}
	return id, nil
}

func syncFolder(files vfs.FS, path string) error {
	dir, err := files.OpenDir(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

var goodID = regexp.MustCompile(`^[a-z0-9]{16}$`)

func readFile(files vfs.FS, path string) (string, error) {
	f, err := files.Open(path)
	if err != nil {
		return "", err
	}
	data, err := io.ReadAll(io.LimitReader(f, 1024))
	return string(data), errors.Join(err, f.Close())
}

// producerConfig of a worker. A static member's transactions are named after it: whoever
// comes back as that member aborts them, also on another disk.
func (r *Runtime) producerConfig(worker int) producerConfig {
	c := producerConfig{kafka: r.cfg.Kafka, timeout: r.cfg.TransactionTimeout, bytes: r.budget.produce / max(r.tasks.size.Load(), int64(r.cfg.Workers))}
	if r.cfg.ExactlyOnce {
		who := r.process
		if r.cfg.InstanceID != "" {
			who = r.cfg.InstanceID
		}
		c.linger = min(transactionLinger, r.cfg.CommitInterval/2)
		c.id = r.cfg.Kafka.TransactionalID(r.cfg.ApplicationID + "-" + who + "-" + strconv.Itoa(worker))
	}
	return c
}

func (r *Runtime) taskConfig(ctx context.Context, o *owned, from []task.Offset, produce func(*kgo.Record)) task.Config {
	return task.Config{
		Sub: o.sub, ID: o.id, DB: r.db, Names: r.layout().names, Start: from,
		Producer: produce, Partitions: r.partitions, Globals: r.globals.view,
		Fail: r.cfg.OnFailure, DeadLetters: r.cfg.DeadLetterTopic, Clock: r.cfg.Clock, Memory: r.memory,
		MaxIdle: r.cfg.MaxTaskIdle, IdleWindowClose: r.cfg.IdleWindowClose, CacheBytes: r.cacheShare(),
		Context: ctx, Logger: r.cfg.Logger.With("task", name(o.id)),
	}
}

// partitions of a topic by its full name.
func (r *Runtime) partitions(topic string) (int32, error) {
	if n := r.layout().partitions[topic]; n > 0 {
		return n, nil
	}
	if n, ok := r.others.Load(topic); ok {
		return n.(int32), nil
	}
	ctx, cancel := context.WithTimeout(r.life, lookUpTimeout)
	defer cancel()
	topics, err := kadm.NewClient(r.admin).ListTopics(ctx, topic)
	if err == nil {
		err = topics[topic].Err
	}
	if err != nil {
		return 0, fmt.Errorf("look up the partitions of %s: %w", topic, err)
	}
	n := int32(len(topics[topic].Partitions))
	r.others.Store(topic, n)
	return n, nil
}

const lookUpTimeout = 10 * time.Second

// cacheShare of one store of one task: as many as there could be at once here.
func (r *Runtime) cacheShare() int64 {
	n := int64(0)
	for _, sub := range r.cfg.Topology.Subs {
		for _, s := range sub.Stores {
			if s.Cached {
				n += int64(r.layout().tasks[sub.ID])
			}
		}
	}
	return r.cfg.CacheBytes / max(n, 1)
}
