package streams

import (
	"bytes"
	"encoding/binary"

	"github.com/pabal-dev/pabal/streams/internal/plan"
	"github.com/pabal-dev/pabal/streams/serde"
	"github.com/pabal-dev/pabal/streams/state"
)

// register turns changes of the left table into subscriptions.
func (j *foreignJoin[K, L, KR, R, O]) register(c plan.Context, next receiver[KR, subscription]) (receiver[K, change[L]], error) {
	asks := c.Topic(j.asks)
	keys, err := serde.Of(j.left.ks, asks+"-pk", true)
	if err != nil {
		return nil, err
	}
	foreignKeys, err := serde.Of(j.right.ks, asks+"-fk", true)
	if err != nil {
		return nil, err
	}
	values, err := serde.Of(j.left.vs, asks+"-vh", false)
	if err != nil {
		return nil, err
	}
	return func(r Record[K, change[L]]) error {
		if j.leftInOrder && r.Value.late {
			c.Dropped(j.names.register, "late update of a versioned table")
			return nil
		}
		of, key, err := identify(r, keys, values)
		if err != nil {
			return err
		}
		before, after := j.foreignKey(r.Key, r.Value.prior, r.Value.hasPrior), j.foreignKey(r.Key, r.Value.next, r.Value.hasNext)
		if !after.has && r.Value.hasNext && !j.outer {
			c.Dropped(j.names.register, "no foreign key")
		}
		changed, err := differs(foreignKeys, before, after)
		if err != nil {
			return err
		}
		for _, s := range subscriptions(j.outer, r.Value.hasPrior || r.Value.hasNext, before, after, changed) {
			out := Record[KR, subscription]{Key: s.to.key, NoKey: !s.to.has, Timestamp: r.Timestamp, Headers: r.Headers,
				Value: subscription{of: of, instruc: s.instruc, key: key, partition: c.Task().Partition}}
			if err := next(out); err != nil {
				return err
			}
		}
		return nil
	}, nil
}

// identify is the hash of the record's value and the bytes of its key.
func identify[K, L any](r Record[K, change[L]], keys serde.Serde[K], values serde.Serde[L]) (of valueHash, key []byte, err error) {
	if key, err = keys.Append(nil, r.Key); err != nil {
		return of, nil, err
	}
	if !r.Value.hasNext {
		return valueHash{none: true}, key, nil
	}
	value, err := values.Append(nil, r.Value.next)
	return hashOf(value), key, err
}

// foreignKey is one that a value has, or has not.
type foreignKey[KR any] struct {
	key KR
	has bool
}

func (j *foreignJoin[K, L, KR, R, O]) foreignKey(key K, value L, has bool) (f foreignKey[KR]) {
	if has {
		f.key, f.has = j.foreign(key, value)
	}
	return f
}

func differs[KR any](keys serde.Serde[KR], a, b foreignKey[KR]) (bool, error) {
	if a.has != b.has || !a.has {
		return a.has != b.has, nil
	}
	one, err := keys.Append(nil, a.key)
	if err != nil {
		return false, err
	}
	two, err := keys.Append(nil, b.key)
	return !bytes.Equal(one, two), err
}

// toForeign is a subscription to a foreign key.
type toForeign[KR any] struct {
	to      foreignKey[KR]
	instruc instruction
}

// subscriptions are what a change of a value from one foreign key to another asks for.
func subscriptions[KR any](outer, any bool, before, after foreignKey[KR], changed bool) []toForeign[KR] {
	var out []toForeign[KR]
	switch {
	case outer && any:
		if before.has && changed {
			out = append(out, toForeign[KR]{before, unsubscribe})
		}
		return append(out, toForeign[KR]{after, subscribeAndRespond})
	case outer:
	case !after.has && before.has:
		out = append(out, toForeign[KR]{before, unsubscribeAndDelete})
	case after.has && before.has && changed:
		out = append(out, toForeign[KR]{before, unsubscribe}, toForeign[KR]{after, subscribeAndRespond})
	case after.has: // with the foreign key that it had, nothing found is no news
		out = append(out, toForeign[KR]{after, subscribeIfFound})
	}
	return out
}

// receive keeps subscriptions.
func (j *foreignJoin[K, L, KR, R, O]) receive(c plan.Context, next receiver[KR, subscription]) (receiver[KR, subscription], error) {
	store, err := storeAs[state.KeyValueStore[[]byte, state.Timestamped[subscription]]](c, j.store.Name)
	if err != nil {
		return nil, err
	}
	foreignKeys, err := serde.Of(j.right.ks, c.Topic(j.asks)+"-fk", true)
	if err != nil {
		return nil, err
	}
	var foreign, entry []byte
	return func(r Record[KR, subscription]) error {
		if r.NoKey {
			if r.Value.instruc != subscribeAndRespond {
				c.Dropped(j.names.receive, "no foreign key")
				return nil
			}
			return next(r)
		}
		if foreign, err = foreignKeys.Append(foreign[:0], r.Key); err != nil {
			return err
		}
		entry = combined(entry[:0], foreign, r.Value.key)
		switch r.Value.instruc {
		case unsubscribe, unsubscribeAndDelete:
			_, _, err = store.Delete(entry)
		default:
			err = store.Put(entry, state.Timestamped[subscription]{Value: r.Value, Timestamp: r.Timestamp})
		}
		if err != nil {
			return err
		}
		return next(r)
	}, nil
}

// answer responds to subscriptions with what the right table has.
func (j *foreignJoin[K, L, KR, R, O]) answer(c plan.Context, next receiver[[]byte, response[R]]) (receiver[KR, subscription], error) {
	lookup, err := j.rightView.open(c)
	if err != nil {
		return nil, err
	}
	return func(r Record[KR, subscription]) error {
		s := r.Value
		out := Record[[]byte, response[R]]{Key: s.key, Timestamp: r.Timestamp, Headers: r.Headers,
			Value: response[R]{of: s.of, partition: s.partition}}
		var found bool
		if !r.NoKey {
			value, has, err := lookup.get(r.Key)
			if err != nil {
				return err
			}
			if found = has; found {
				out.Timestamp = max(out.Timestamp, value.Timestamp)
				out.Value.value = value.Value
			}
		}
		switch s.instruc {
		case unsubscribe:
			return nil
		case subscribeIfFound:
			if !found {
				return nil
			}
		case unsubscribeAndDelete:
			found = false
		}
		out.Value.hasValue = found
		return next(out)
	}, nil
}

// changed responds to all subscriptions of a key of the right table.
func (j *foreignJoin[K, L, KR, R, O]) changed(c plan.Context, next receiver[[]byte, response[R]]) (receiver[KR, change[R]], error) {
	store, err := storeAs[state.KeyValueStore[[]byte, state.Timestamped[subscription]]](c, j.store.Name)
	if err != nil {
		return nil, err
	}
	foreignKeys, err := serde.Of(j.right.ks, c.Topic(j.asks)+"-fk", true)
	if err != nil {
		return nil, err
	}
	var prefix []byte
	return func(r Record[KR, change[R]]) error {
		if r.NoKey || j.rightInOrder && r.Value.late {
			c.Dropped(j.names.foreignJoin, "null key, or late update of a versioned table")
			return nil
		}
		key, err := foreignKeys.Append(nil, r.Key)
		if err != nil {
			return err
		}
		prefix = append(binary.BigEndian.AppendUint32(prefix[:0], uint32(len(key))), key...)
		for s, err := range store.Prefix(prefix) {
			if err != nil {
				return err
			}
			err := next(Record[[]byte, response[R]]{Key: s.Key[len(prefix):], Timestamp: r.Timestamp, Headers: r.Headers,
				Value: response[R]{of: s.Value.Value.of, value: r.Value.next, hasValue: r.Value.hasNext, partition: s.Value.Value.partition}})
			if err != nil {
				return err
			}
		}
		return nil
	}, nil
}

// resolve joins responses to values that still hold.
func (j *foreignJoin[K, L, KR, R, O]) resolve(c plan.Context, next receiver[K, O]) (receiver[K, response[R]], error) {
	lookup, err := j.leftView.open(c)
	if err != nil {
		return nil, err
	}
	values, err := serde.Of(j.left.vs, c.Topic(j.asks)+"-vh", false)
	if err != nil {
		return nil, err
	}
	var bytes []byte
	return func(r Record[K, response[R]]) error {
		value, found, err := lookup.get(r.Key)
		if err != nil {
			return err
		}
		now := valueHash{none: true}
		if found {
			if bytes, err = values.Append(bytes[:0], value.Value); err != nil {
				return err
			}
			now = hashOf(bytes)
		}
		if now != r.Value.of {
			c.Dropped(j.names.resolve, "a response to a value that was replaced")
			return nil
		}
		out := Record[K, O]{Key: r.Key, NoValue: true, Timestamp: r.Timestamp, Headers: r.Headers}
		if found && (r.Value.hasValue || j.outer) {
			out.Value, out.NoValue = j.join(value.Value, r.Value.value, r.Value.hasValue), false
		}
		return next(out)
	}, nil
}
