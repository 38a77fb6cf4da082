package event

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"strings"
)

// Codec turns data into payload bytes and back. Its content type travels with
// the event, so that consumers of several codecs stand side by side.
type Codec interface {
	ContentType() string
	Encode(data any) ([]byte, error)
	Decode(payload []byte, data any) error
}

// JSON is the default codec. Unknown fields are accepted on the way in, so
// that producers can add fields first; a second value behind the first is not.
var JSON Codec = jsonCodec{}

// ErrPayload is wrapped by every error of Decode but ErrUnavailable: the payload is not what its
// content type or the target says.
var ErrPayload = errors.New("malformed payload")

// ErrUnavailable is wrapped by errors of codecs that need something else, such as a registry of
// schemas, which does not answer: the payload may be right, and decoding it later may do.
var ErrUnavailable = errors.New("what the codec needs does not answer")

// Decode returns the payload as a T with the codec its content type names: one
// of codecs, or JSON where none is given.
func Decode[T any](e Event, codecs ...Codec) (T, error) {
	var data T
	codec, err := codecFor(e.ContentType, codecs)
	if err == nil {
		err = codec.Decode(e.Payload, &data)
	}
	if errors.Is(err, ErrUnavailable) {
		return data, fmt.Errorf("%s %s: %w", e.Type, e.ID, err)
	}
	if err != nil {
		return data, fmt.Errorf("%w: %s %s: %w", ErrPayload, e.Type, e.ID, err)
	}
	return data, nil
}

func codecFor(contentType string, codecs []Codec) (Codec, error) {
	if len(codecs) == 0 {
		codecs = []Codec{JSON}
	}
	media, _, err := mime.ParseMediaType(contentType)
	if contentType != "" && err != nil {
		return nil, fmt.Errorf("content type %q: %w", contentType, err)
	}
	for _, c := range codecs {
		if media == "" || media == c.ContentType() || jsonLike(media) && c.ContentType() == JSON.ContentType() {
			return c, nil
		}
	}
	return nil, fmt.Errorf("no codec for content type %q", contentType)
}

// jsonLike says whether a media type is JSON by its structured suffix (RFC 6839).
func jsonLike(media string) bool { return strings.HasSuffix(media, "+json") || media == "text/json" }

type jsonCodec struct{}

func (jsonCodec) ContentType() string { return "application/json" }

func (jsonCodec) Encode(data any) ([]byte, error) {
	if raw, ok := data.(json.RawMessage); ok && !json.Valid(raw) {
		return nil, errors.New("not valid JSON")
	}
	return json.Marshal(data)
}

func (jsonCodec) Decode(payload []byte, data any) error {
	d := json.NewDecoder(bytes.NewReader(payload))
	if err := d.Decode(data); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("more data after the JSON value")
	}
	return nil
}
