package state

import (
	"fmt"
	"iter"

	"github.com/pabal-dev/pabal/streams/serde"
)

// keyLayout is that of key-value stores: keys are on disk as they are in the changelog.
type keyLayout[K any] struct{ keys serde.Serde[K] }

func (keyLayout[K]) disk(dst []byte, key string, _, _ int64) []byte { return append(dst, key...) }
func (keyLayout[K]) log(dst []byte, key string, _, _ int64) []byte  { return append(dst, key...) }
func (l keyLayout[K]) show(key string, _, _ int64) string           { return showKey(l.keys, []byte(key)) }

// showKey is a key for an error: as its type prints, or else its bytes.
func showKey[K any](keys serde.Serde[K], key []byte) string {
	const most = 100
	text := fmt.Sprintf("key %x", key)
	if k, err := keys.Decode(key); err == nil {
		text = fmt.Sprintf("key %+v", k)
	}
	if len(text) > most {
		text = text[:most] + "…"
	}
	return text
}

// keyBounds are the bytes of from and what follows those of to.
func keyBounds[K any](keys serde.Serde[K], from, to K) (low, high []byte, err error) {
	if low, err = keys.Append([]byte{}, from); err != nil {
		return nil, nil, err
	}
	if high, err = keys.Append([]byte{}, to); err != nil {
		return nil, nil, err
	}
	return low, append(high, 0), nil
}

// prefixBounds are the prefix and the first key after all that begin with it, nil if none.
func prefixBounds(prefix []byte) (low, high []byte) {
	if len(prefix) == 0 {
		return nil, nil
	}
	high = append([]byte(nil), prefix...)
	for i := len(high) - 1; i >= 0; i-- {
		if high[i]++; high[i] != 0 {
			return prefix, high[:i+1]
		}
	}
	return prefix, nil
}

// failing yields an error.
func failing[P any](err error) iter.Seq2[P, error] {
	return func(yield func(P, error) bool) {
		var none P
		yield(none, err)
	}
}

func storeError(store string, err error) error { return fmt.Errorf("store %s: %w", store, err) }

// wrapStore is storeError, nil for nil.
func wrapStore(store string, err error) error {
	if err == nil {
		return nil
	}
	return storeError(store, err)
}

func keyError(store string, err error) error {
	return fmt.Errorf("store %s: encode the key: %w", store, err)
}
