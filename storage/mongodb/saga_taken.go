package mongodb

import (
	"context"
	"errors"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// taken are sagas that other transactions have locked, to be passed over. MongoDB cannot
// be asked for locks: a transaction that meets one is over. So what it met is found out
// then, and the next try leaves that out.
type taken struct {
	db      *DB
	keys    []sagaKey
	checked bool // that they are still locked
}

// others is a part of a filter.
func (t *taken) others() bson.D {
	if t == nil || len(t.keys) == 0 {
		return nil
	}
	return byID(bson.D{{Key: "$nin", Value: t.keys}})
}

// note finds out which of the keys are locked, where err says that one was.
func (t *taken) note(ctx context.Context, keys []sagaKey, err error) {
	if t == nil || !hasCode(err, writeConflict) || ctx.Err() != nil {
		return
	}
	if held, err := t.db.lockedAmong(ctx, keys); err == nil {
		t.keys = append(t.keys, held...)
	}
}

// freed is an error that repeats the transaction where what it has passed over is free
// again, or was only being looked at by another's lockedAmong: else two who look at the
// same time would both find nothing.
func (t *taken) freed(ctx context.Context) error {
	if t == nil || len(t.keys) == 0 || t.checked {
		return nil
	}
	t.checked = true
	held, err := t.db.lockedAmong(ctx, t.keys)
	if err != nil || len(held) == len(t.keys) {
		return failed("look at locked sagas again", err)
	}
	t.keys = held
	return lost("look for sagas", errFreed)
}

var (
	errFreed  = errors.New("some that were locked are free again")
	errLooked = errors.New("only looked")
)

// looks bounds the transactions of lockedAmong.
const looks = 32

// lockedAmong finds what others have locked by locking it: halves of what met a lock are
// tried again. Where that takes too many tries, all of a part that met one is taken for
// locked. Nothing is committed.
func (db *DB) lockedAmong(ctx context.Context, keys []sagaKey) (locked []sagaKey, err error) {
	parts := [][]sagaKey{keys}
	for tries := 0; len(parts) > 0; tries++ {
		part := parts[0]
		parts = parts[1:]
		if tries >= looks {
			locked = append(locked, part...)
			continue
		}
		err := db.try(ctx, func(ctx context.Context) error {
			if err := db.lockSagas(ctx, part); err != nil {
				return err
			}
			return errLooked
		})
		switch {
		case errors.Is(err, errLooked):
		case !hasCode(err, writeConflict):
			return nil, err
		case len(part) == 1:
			locked = append(locked, part...)
		default:
			parts = append(parts, part[:len(part)/2], part[len(part)/2:])
		}
	}
	return slices.Clip(locked), nil
}
