package streams

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"

	"github.com/pabal-dev/pabal/streams/internal/local"
)

// rawGet answers another instance with the bytes of a key, 204 where there is none.
func (h *handler) rawGet(w http.ResponseWriter, r *http.Request) error {
	q, p, err := h.rawQuery(r)
	if err != nil {
		return err
	}
	key, err := bytesOf(r, "key")
	if err != nil {
		return err
	}
	var value []byte
	var ok bool
	err = q.get(r.Context(), p, func(reader local.Reader) (err error) {
		value, ok, err = reader.Get(key, value[:0])
		return err
	})
	switch {
	case err != nil:
		return err
	case !ok:
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	return writeBytes(w, value)
}

// rawScan answers with a page of pairs.
func (h *handler) rawScan(w http.ResponseWriter, r *http.Request) error {
	q, p, err := h.rawQuery(r)
	if err != nil {
		return err
	}
	from, err := bytesOf(r, "from")
	if err != nil {
		return err
	}
	to, err := bytesOf(r, "to")
	if err != nil {
		return err
	}
	limit, err := strconv.Atoi(r.URL.Query().Get("limit"))
	if err != nil || limit < 1 || limit > nextPages {
		return fmt.Errorf("%w: limit is 1 to %d", errInvalid, nextPages)
	}
	reader, closer, err := q.open(r.Context(), p)
	if err != nil {
		return err
	}
	defer closer()
	var out []byte
	end := byte(pageEnd)
	for pair, err := range reader.Scan(from, to, r.URL.Query().Get("reverse") == "true") {
		if err != nil {
			return fmt.Errorf("store %s: %w", q.store.Name, err)
		}
		if limit == 0 || len(out) > mostPage {
			end = pageMore
			break
		}
		out = appendPair(out, pair)
		limit--
	}
	return writeBytes(w, append(out, end))
}

// rawQuery never asks further instances.
func (h *handler) rawQuery(r *http.Request) (*query, int32, error) {
	q, err := h.query(r)
	if err != nil {
		return nil, 0, err
	}
	q.routed = false
	n := q.partitions()
	p, err := strconv.ParseInt(r.PathValue("partition"), 10, 32)
	if err != nil || p < 0 || n > 0 && p >= int64(n) {
		return nil, 0, fmt.Errorf("%w: store %s has partitions 0 to %d, not %q", errNotFound, q.store.Name, n-1, r.PathValue("partition"))
	}
	return q, int32(p), nil
}

// bytesOf a parameter; nil where it is not there.
func bytesOf(r *http.Request, name string) ([]byte, error) {
	v := r.URL.Query()
	if !v.Has(name) {
		return nil, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(v.Get(name))
	if err != nil {
		return nil, fmt.Errorf("%w: %s is not base64url", errInvalid, name)
	}
	return append([]byte{}, b...), nil
}

func writeBytes(w http.ResponseWriter, data []byte) error {
	w.Header().Set("Content-Type", rawType)
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(data)
	return nil
}
