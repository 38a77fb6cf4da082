package streams

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/pabal-dev/pabal/streams/internal/local"
)

// remoteReader reads a partition of a store of another instance: the bytes, as they are
// in its space. It answers for itself only and asks nobody else, so that questions never go
// in a circle.
type remoteReader struct {
	ctx       context.Context
	q         *query
	host      Host
	partition int32
	failed    error // the first failure of the way there
}

const (
	firstPage = 64
	nextPages = 1024
	// mostBytes of an answer.
	mostBytes = 16 << 20
)

// Get reads one key.
func (r *remoteReader) Get(key, dst []byte) ([]byte, bool, error) {
	body, err := r.ask("get", url.Values{"key": {encodeBytes(key)}})
	if errors.Is(err, errAbsent) {
		return dst, false, nil
	}
	if err != nil {
		return dst, false, err
	}
	defer body.Close()
	data, err := io.ReadAll(body)
	if err != nil {
		return dst, false, r.fail(fmt.Errorf("%w: %w", ErrUnreachable, err))
	}
	if len(data) > mostBytes {
		return dst, false, r.fail(fmt.Errorf("%w: the value is larger than %d bytes", ErrUnreachable, mostBytes))
	}
	return append(dst, data...), true, nil
}

// Scan reads page by page.
func (r *remoteReader) Scan(from, to []byte, reverse bool) iter.Seq2[local.Pair, error] {
	return func(yield func(local.Pair, error) bool) {
		for limit := firstPage; ; limit = nextPages {
			page, more, err := r.page(from, to, reverse, limit)
			if err != nil {
				yield(local.Pair{}, err)
				return
			}
			for _, p := range page {
				if !yield(p, nil) {
					return
				}
			}
			if !more || len(page) == 0 {
				return
			}
			if last := page[len(page)-1].Key; reverse {
				to = last
			} else {
				from = append(last[:len(last):len(last)], 0)
			}
		}
	}
}

func (r *remoteReader) page(from, to []byte, reverse bool, limit int) (page []local.Pair, more bool, err error) {
	v := url.Values{"limit": {strconv.Itoa(limit)}}
	if from != nil {
		v.Set("from", encodeBytes(from))
	}
	if to != nil {
		v.Set("to", encodeBytes(to))
	}
	if reverse {
		v.Set("reverse", "true")
	}
	body, err := r.ask("scan", v)
	if err != nil {
		return nil, false, err
	}
	defer body.Close()
	page, more, err = readPage(bufio.NewReader(body))
	if err != nil {
		return nil, false, r.fail(fmt.Errorf("%w: its answer ends in the middle: %w", ErrUnreachable, err))
	}
	return page, more, nil
}

// errAbsent: the key is not there.
var errAbsent = errors.New("absent")

func (r *remoteReader) ask(what string, v url.Values) (io.ReadCloser, error) {
	if r.q.stale {
		v.Set("stale", strconv.FormatInt(r.q.maxLag, 10))
	}
	at := fmt.Sprintf("%s/stores/%s/partitions/%d/%s?%s", strings.TrimRight(r.host.Endpoint, "/"),
		url.PathEscape(r.q.store.Name), r.partition, what, v.Encode())
	req, err := http.NewRequestWithContext(r.ctx, http.MethodGet, at, nil)
	if err != nil {
		return nil, r.fail(err)
	}
	resp, err := r.q.client.Do(req)
	if err != nil {
		if r.ctx.Err() != nil {
			return nil, r.fail(fmt.Errorf("%w: %w", ErrUnreachable, r.ctx.Err()))
		}
		return nil, r.fail(fmt.Errorf("%w: %w", ErrUnreachable, err))
	}
	body := struct {
		io.Reader
		io.Closer
	}{io.LimitReader(resp.Body, mostBytes+1), resp.Body}
	if resp.StatusCode == http.StatusOK && resp.Header.Get("Content-Type") == rawType {
		return body, nil
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusNoContent {
		return nil, errAbsent
	}
	return nil, r.fail(refusal(resp.StatusCode, body))
}

// refusal is what a problem means.
func refusal(status int, body io.Reader) error {
	var p problem
	data, _ := io.ReadAll(io.LimitReader(body, 64<<10))
	if json.Unmarshal(data, &p) != nil || p.Title == "" {
		return fmt.Errorf("%w as expected: HTTP status %d", ErrUnreachable, status)
	}
	for _, k := range problemKinds {
		if p.Type == problemPrefix+k.name {
			return fmt.Errorf("%w: it says %q", k.err, p.Detail)
		}
	}
	return fmt.Errorf("%w as expected: HTTP status %d: %s", ErrUnreachable, status, p.Detail)
}

// fail notes what went wrong on the way, to be told from what is in the store.
func (r *remoteReader) fail(err error) error {
	err = fmt.Errorf("store %s, partition %d, instance %s: %w", r.q.store.Name, r.partition, r.host.Endpoint, err)
	if r.failed == nil {
		r.failed = err
	}
	return err
}

func encodeBytes(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// rawType is the type of answers in bytes. A page is pairs of lengths and bytes, and an end that
// says whether there is more.
const rawType = "application/vnd.pabal.store"

const (
	pagePair = 1
	pageEnd  = 2
	pageMore = 3
)

func appendPair(b []byte, p local.Pair) []byte {
	b = append(b, pagePair)
	for _, part := range [][]byte{p.Key, p.Value} {
		b = binary.AppendUvarint(b, uint64(len(part)))
		b = append(b, part...)
	}
	return b
}

func readPage(r *bufio.Reader) (page []local.Pair, more bool, err error) {
	for {
		mark, err := r.ReadByte()
		if err != nil {
			return nil, false, err
		}
		if mark != pagePair {
			return page, mark == pageMore, nil
		}
		var p local.Pair
		for _, part := range []*[]byte{&p.Key, &p.Value} {
			n, err := binary.ReadUvarint(r)
			if err != nil || n > mostBytes {
				return nil, false, errors.Join(err, io.ErrUnexpectedEOF)
			}
			*part = make([]byte, n)
			if _, err := io.ReadFull(r, *part); err != nil {
				return nil, false, err
			}
		}
		page = append(page, p)
	}
}
