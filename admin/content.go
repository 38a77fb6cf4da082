package admin

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/pabal-dev/pabal/journal"
)

// contentOf shows a payload: JSON as it is stored, what a serializer of the registry
// (which may be nil) decodes as JSON of the value, and all else as text or bytes.
func contentOf(r *journal.Registry, p journal.Payload) Content {
	c := Content{Serializer: p.Serializer, Manifest: p.Manifest, Size: len(p.Data), Format: "null"}
	if len(p.Data) == 0 && p.Serializer == 0 {
		return c
	}
	if data, ok := storedJSON(p.Data); ok {
		c.Format, c.Text = "json", legible(data)
		return c.cut(MaxContent)
	}
	if r != nil {
		value, err := r.Unmarshal(p)
		if err == nil {
			var data []byte
			if data, err = json.Marshal(value); err == nil && !isBytes(value) {
				c.Format, c.Text = "json", legible(data)
				return c.cut(MaxContent)
			}
		}
		c.Problem = problemOf(err)
	}
	if isText(p.Data) {
		c.Format, c.Text = "text", string(p.Data)
	} else {
		c.Format, c.Base64 = "binary", slices.Clone(p.Data)
	}
	return c.cut(MaxContent)
}

// storedJSON is an object or array, which Pekko's serializer compresses where it is
// long. A number or word may be anything's bytes.
func storedJSON(data []byte) ([]byte, bool) {
	if bytes.HasPrefix(data, []byte{0x1f, 0x8b}) {
		var err error
		if data, err = unzip(data); err != nil {
			return nil, false
		}
	}
	begin := bytes.TrimLeft(data, " \t\r\n")
	if len(begin) == 0 || begin[0] != '{' && begin[0] != '[' || !json.Valid(data) {
		return nil, false
	}
	return data, true
}

// signs are what encoding/json writes otherwise, for the sake of HTML; a backslash
// that is itself escaped begins none of them.
var signs = strings.NewReplacer(`\\`, `\\`, `\u0026`, "&", `\u003c`, "<", `\u003e`, ">")

// legible is the same JSON value for people.
func legible(data []byte) string { return signs.Replace(string(data)) }

// unzip refuses what becomes longer than a page.
func unzip(data []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	out, err := io.ReadAll(io.LimitReader(z, MaxPage+1))
	if err == nil && len(out) > MaxPage {
		err = fmt.Errorf("it has more than %d bytes", MaxPage)
	}
	return out, err
}

func isBytes(value any) bool {
	_, is := value.([]byte)
	return is
}

// isText says whether data is UTF-8 without control characters but those of lines.
func isText(data []byte) bool {
	for _, b := range data {
		if b < 0x20 && b != '\t' && b != '\n' && b != '\r' || b == 0x7f {
			return false
		}
	}
	return utf8.Valid(data)
}

// cut leaves at most so many bytes.
func (c Content) cut(most int) Content {
	if len(c.Text) <= most && len(c.Base64) <= most {
		return c
	}
	c.Cut, c.Text, c.Base64 = true, cutText(c.Text, most), c.Base64[:min(len(c.Base64), most)]
	return c
}

// cutText is at most so many bytes of a text, whole characters.
func cutText(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most]
}

// shown is how many bytes it takes in an answer.
func (c Content) shown() int { return len(c.Text) + len(c.Base64)*4/3 + len(c.Problem) }
