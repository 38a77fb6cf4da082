package redis

import (
	"context"
	_ "embed" // for the script
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/projection"
	goredis "github.com/redis/go-redis/v9"
)

// ViewConfig of a View; the zero value is usable.
type ViewConfig struct {
	// TTL is how long a document stays after it was last written; for ever where zero.
	// With it goes its version.
	TTL time.Duration
	// Tombstones is how long the version of a deleted document is remembered: for so
	// long a worker of the projection may have been stopped without bringing the
	// document back when it goes on. 24 h, at least 1 ms.
	Tombstones time.Duration
}

// View is a read model: the keys with a prefix. A document is a hash with the fields
// "json" and "version" (HGET key json reads it); a deleted one has no json until
// ViewConfig.Tombstones have passed.
//
// A projection that was reset finds all versions there already and changes nothing: where
// the mapping has changed, Clear the view first, or write to another prefix and switch
// over.
type View struct {
	db     *DB
	prefix string
	config ViewConfig
}

var _ projection.Target = (*View)(nil)

const defaultTombstones = 24 * time.Hour

// View is the read model of the keys with that prefix, such as "orders:". It writes
// nothing yet.
func (db *DB) View(prefix string, config ViewConfig) (*View, error) {
	switch {
	case prefix == "":
		return nil, errors.New("redis: a view needs a prefix of its keys")
	case config.TTL < 0 || config.TTL > 0 && config.TTL < time.Millisecond:
		return nil, fmt.Errorf("redis: view %s: a TTL of %s, it is zero or at least 1 ms", prefix, config.TTL)
	case config.Tombstones == 0:
		config.Tombstones = defaultTombstones
	case config.Tombstones < time.Millisecond:
		return nil, fmt.Errorf("redis: view %s: tombstones of %s, at least 1 ms is needed", prefix, config.Tombstones)
	}
	return &View{db, prefix, config}, nil
}

// Handler keeps the view by a projection: for projection.Config.Outside.
func (v *View) Handler(mapping projection.Mapping) projection.OutsideHandler {
	return projection.Into(v, mapping)
}

// Put stores a document as JSON where the stored one is of a lower version or not there.
func (v *View) Put(ctx context.Context, id string, version int64, document any) error {
	if document == nil {
		return v.wrong(id, "the document is nil, delete it by Delete")
	}
	return v.Apply(ctx, []projection.Change{{ID: id, Version: version, Document: document}})
}

// Delete deletes a document of a lower version.
func (v *View) Delete(ctx context.Context, id string, version int64) error {
	return v.Apply(ctx, []projection.Change{{ID: id, Version: version}})
}

//go:embed apply.lua
var applySource string

// apply runs atomically for one document; documents of a group may be on different
// nodes of a cluster.
var apply = goredis.NewScript(applySource)

// Bounds of a round trip.
const (
	maxCommands = 1000
	maxBytes    = 4 << 20
)

// Apply implements projection.Target: one round trip for a thousand changes, or 4 MiB. Where
// it fails some changes may have been stored; to repeat all of them does no harm.
func (v *View) Apply(ctx context.Context, changes []projection.Change) error {
	calls := make([][]any, 0, min(len(changes), maxCommands))
	bytes := 0
	for _, c := range changes {
		call, size, err := v.call(c)
		if err != nil {
			return err
		}
		if len(calls) == maxCommands || len(calls) > 0 && bytes+size > maxBytes {
			if err := v.send(ctx, calls); err != nil {
				return err
			}
			calls, bytes = calls[:0], 0
		}
		calls, bytes = append(calls, call), bytes+size
	}
	return v.send(ctx, calls)
}

// call is the command of a change.
func (v *View) call(c projection.Change) (command []any, size int, err error) {
	switch {
	case c.ID == "":
		return nil, 0, v.wrong(c.ID, "the id is empty")
	case c.Version < 1:
		return nil, 0, v.wrong(c.ID, fmt.Sprintf("version %d, versions begin at 1", c.Version))
	}
	var document []byte
	expires := v.config.Tombstones
	if c.Document != nil {
		expires = v.config.TTL
		if document, err = json.Marshal(c.Document); err != nil {
			return nil, 0, v.wrong(c.ID, err.Error())
		}
		if string(document) == "null" {
			return nil, 0, v.wrong(c.ID, "the document is null, which stands for none; return nil to delete it")
		}
	}
	command = []any{"evalsha", apply.Hash(), 1, v.Key(c.ID), strconv.FormatInt(c.Version, 10), document, expires.Milliseconds()}
	return command, len(v.prefix) + len(c.ID) + len(document), nil
}

// send repeats what a Redis that was restarted did not know the script for.
func (v *View) send(ctx context.Context, calls [][]any) error {
	if len(calls) == 0 {
		return nil
	}
	err := v.pipeline(ctx, calls)
	if goredis.HasErrorPrefix(err, "NOSCRIPT") {
		if err = v.loadScript(ctx); err == nil {
			err = v.pipeline(ctx, calls)
		}
	}
	if err != nil && !faulty(err) {
		err = errors.Join(projection.ErrUnavailable, err)
	}
	if err != nil {
		return fmt.Errorf("redis: write to view %s: %w", v.prefix, err)
	}
	return nil
}

// pipeline returns the worst error of any: one that says Redis is to blame comes first.
func (v *View) pipeline(ctx context.Context, calls [][]any) error {
	pipe := v.db.client.Pipeline()
	for _, call := range calls {
		pipe.Do(ctx, call...)
	}
	commands, err := pipe.Exec(ctx)
	for _, c := range commands {
		if c.Err() != nil && (err == nil || faulty(err) && !faulty(c.Err())) {
			err = c.Err()
		}
	}
	return err
}

func (v *View) loadScript(ctx context.Context) error {
	if cluster, ok := v.db.client.(*goredis.ClusterClient); ok {
		return cluster.ForEachMaster(ctx, func(ctx context.Context, node *goredis.Client) error {
			return apply.Load(ctx, node).Err()
		})
	}
	return apply.Load(ctx, v.db.client).Err()
}

func (v *View) wrong(id, what string) error {
	return fmt.Errorf("redis: document %q of view %s: %s", id, v.prefix, what)
}

// Key of a document.
func (v *View) Key(id string) string { return v.prefix + id }

// Get decodes a document into a pointer; ok is false where there is none, or it was
// deleted at that version.
func (v *View) Get(ctx context.Context, id string, into any) (version int64, ok bool, err error) {
	stored, err := v.db.client.HMGet(ctx, v.Key(id), "version", "json").Result()
	if err != nil {
		return 0, false, fmt.Errorf("redis: read from view %s: %w", v.prefix, err)
	}
	if text, there := stored[0].(string); there {
		if version, err = strconv.ParseInt(text, 10, 64); err != nil {
			return 0, false, v.wrong(id, "its version is "+text)
		}
	}
	document, there := stored[1].(string)
	if !there {
		return version, false, nil
	}
	if err := json.Unmarshal([]byte(document), into); err != nil {
		return 0, false, v.wrong(id, err.Error())
	}
	return version, true, nil
}

// Clear deletes all keys with the view's prefix: before the projection is reset, while it
// does not run. It reads the names of all keys there are.
func (v *View) Clear(ctx context.Context) error {
	clear := func(ctx context.Context, node goredis.UniversalClient) error {
		keys := node.Scan(ctx, 0, globEscaper.Replace(v.prefix)+"*", maxCommands).Iterator()
		for keys.Next(ctx) {
			if err := node.Unlink(ctx, keys.Val()).Err(); err != nil {
				return err
			}
		}
		return keys.Err()
	}
	var err error
	if cluster, ok := v.db.client.(*goredis.ClusterClient); ok {
		err = cluster.ForEachMaster(ctx, func(ctx context.Context, node *goredis.Client) error { return clear(ctx, node) })
	} else {
		err = clear(ctx, v.db.client)
	}
	if err != nil {
		return fmt.Errorf("redis: clear view %s: %w", v.prefix, err)
	}
	return nil
}

// globEscaper makes a prefix match itself only.
var globEscaper = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`)
