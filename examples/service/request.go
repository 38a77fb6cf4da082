package service

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
)

// MaxBody is the largest request body, in bytes.
const MaxBody = 1 << 20

// Decode reads a request's JSON body. Its error is a *Problem that names the
// field at fault: unknown, of the wrong type, or nothing at all.
func Decode[T any](r *http.Request) (T, error) {
	var body T
	if err := checkContentType(r.Header.Get("Content-Type")); err != nil {
		return body, err
	}
	d := json.NewDecoder(http.MaxBytesReader(nil, r.Body, MaxBody))
	d.DisallowUnknownFields()
	if err := d.Decode(&body); err != nil {
		return body, explain(err)
	}
	if _, err := d.Token(); err != io.EOF {
		if tooLarge(err) {
			return body, explain(err)
		}
		return body, Refuse(http.StatusBadRequest, "there is more behind the JSON value at byte %d", d.InputOffset())
	}
	return body, nil
}

func checkContentType(value string) error {
	if value == "" {
		return nil
	}
	media, _, err := mime.ParseMediaType(value)
	if err != nil || media != "application/json" {
		return Refuse(http.StatusUnsupportedMediaType, "content type %q is not application/json", value)
	}
	return nil
}

func tooLarge(err error) bool {
	var large *http.MaxBytesError
	return errors.As(err, &large)
}

func explain(err error) error {
	var wrongType *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case tooLarge(err):
		return Refuse(http.StatusRequestEntityTooLarge, "the body has more than %d bytes", MaxBody)
	case errors.As(err, &wrongType) && wrongType.Field != "":
		return BadField(wrongType.Field, "is a JSON %s, not %s", wrongType.Value, kindName(wrongType))
	case errors.As(err, &wrongType):
		return Refuse(http.StatusBadRequest, "the body is a JSON %s, not an object", wrongType.Value)
	case errors.As(err, &syntax):
		return Refuse(http.StatusBadRequest, "the body is not JSON at byte %d: %s", syntax.Offset, syntax)
	case errors.Is(err, io.EOF):
		return Refuse(http.StatusBadRequest, "the body is empty; a JSON object is needed")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return Refuse(http.StatusBadRequest, "the body ends within the JSON value")
	}
	if name, found := strings.CutPrefix(err.Error(), "json: unknown field "); found {
		if plain, err := strconv.Unquote(name); err == nil {
			name = plain
		}
		return BadField(name, "is not a field of this request")
	}
	return Refuse(http.StatusBadRequest, "the body cannot be read: %s", err)
}

// kindName says what was wanted, in JSON's words.
func kindName(err *json.UnmarshalTypeError) string {
	switch kind := err.Type.Kind().String(); kind {
	case "int64", "int":
		return "an integer of 64 bits"
	case "bool":
		return "true or false"
	case "slice":
		return "an array"
	case "struct", "map":
		return "an object"
	default:
		return "a " + kind
	}
}
