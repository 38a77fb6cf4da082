package console

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/console/api"
)

// maxBody bounds a request's body, in bytes; bodyTime how long it may take.
const (
	maxBody  = 2 << 20
	bodyTime = 30 * time.Second
)

// decodeQuery fills in q, a pointer to a struct, from path and parameters.
func decodeQuery(r *http.Request, rt route, q any) error {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return fmt.Errorf("%w: the parameters are not well written: %w", api.ErrInvalid, err)
	}
	if err := decodePath(r, rt, q); err != nil {
		return err
	}
	return api.DecodeQuery(values, q, rt.inPath()...)
}

// decodePath fills in the fields that are in the path. One set before, by the body,
// must be the same.
func decodePath(r *http.Request, rt route, into any) error {
	v := reflect.ValueOf(into).Elem()
	fields := api.FieldsOf(v.Type())
	for _, name := range rt.inPath() {
		i := slices.IndexFunc(fields, func(f api.Field) bool { return f.Name == name })
		at := v.FieldByIndex(fields[i].Index)
		value := reflect.New(at.Type()).Elem()
		if err := api.DecodeValue(value, name, r.PathValue(name)); err != nil {
			return err
		}
		if !at.IsZero() && !at.Equal(value) {
			return api.BadField(name, "is %v in the body and %v in the path", at, value)
		}
		at.Set(value)
	}
	return nil
}

// decodeBody fills in body, a pointer to a struct, from the JSON sent and the path.
func decodeBody(w http.ResponseWriter, r *http.Request, rt route, body any) error {
	if err := api.DecodeQuery(r.URL.Query(), &none{}); err != nil {
		return err
	}
	data, err := readBody(w, r)
	if err != nil {
		return err
	}
	if len(data) > 0 {
		if err := checkMedia(r, "application/json"); err != nil {
			return err
		}
		if err := decodeJSON(data, body); err != nil {
			return err
		}
	} else if len(rt.inPath()) < len(api.FieldsOf(reflect.TypeOf(body).Elem())) {
		return fmt.Errorf("%w: the body is empty; it should be a JSON object", api.ErrInvalid)
	}
	return decodePath(r, rt, body)
}

func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return nil, fmt.Errorf("%w: the body has more than %d bytes", api.ErrTooLarge, large.Limit)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: the body did not arrive: %w", api.ErrInvalid, err)
	}
	return data, nil
}

func checkMedia(r *http.Request, wanted string) error {
	got, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || got != wanted {
		return fmt.Errorf("%w: the Content-Type is %.60q, it must be %s", api.ErrInvalid, r.Header.Get("Content-Type"), wanted)
	}
	return nil
}

// decodeJSON takes one object with known fields.
func decodeJSON(data []byte, into any) error {
	d := json.NewDecoder(strings.NewReader(string(data)))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return explainJSON(err, into)
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("%w: the body goes on after its JSON object", api.ErrInvalid)
	}
	return nil
}

func explainJSON(err error, into any) error {
	var syntax *json.SyntaxError
	var wrong *json.UnmarshalTypeError
	unknown, isUnknown := strings.CutPrefix(err.Error(), "json: unknown field ")
	switch {
	case errors.As(err, &syntax):
		return fmt.Errorf("%w: the body is not JSON: %w, at byte %d", api.ErrInvalid, err, syntax.Offset)
	case errors.As(err, &wrong) && wrong.Field != "":
		return api.BadField(wrong.Field, "is a JSON %s, it must be %s", wrong.Value, jsonName(wrong.Type))
	case isUnknown:
		var names []string
		for _, f := range api.FieldsOf(reflect.TypeOf(into).Elem()) {
			names = append(names, f.Name)
		}
		return api.BadField(strings.Trim(unknown, `"`), "is not known here; allowed are %s", strings.Join(names, ", "))
	}
	return fmt.Errorf("%w: the body is not the JSON it should be: %w", api.ErrInvalid, err)
}

// jsonName is a type in JSON's words.
func jsonName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice, reflect.Array:
		if t.Elem().Kind() == reflect.Uint8 {
			return "a base64 string"
		}
		return "an array"
	case reflect.Map, reflect.Struct:
		return "an object"
	case reflect.Float64:
		return "a number"
	}
	return fmt.Sprintf("a whole number (%s)", t)
}
