package console

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"

	"github.com/pabal-dev/pabal/console/api"
)

// writeJSON answers. An error is one of encoding: nothing is written then.
func writeJSON(w http.ResponseWriter, status int, answer any) error {
	data, err := encodeJSON(answer)
	if err != nil {
		return err
	}
	write(w, status, "application/json", data)
	return nil
}

// writeProblem answers with an error.
func writeProblem(w http.ResponseWriter, err error) {
	p := api.ProblemOf(err)
	data, err := encodeJSON(p)
	if err != nil { // a problem is made of strings and numbers
		data = []byte("{}")
	}
	if p.Status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="pabal"`)
	}
	write(w, p.Status, api.ProblemType, data)
}

func write(w http.ResponseWriter, status int, media string, data []byte) {
	w.Header().Set("Content-Type", media)
	w.WriteHeader(status)
	_, _ = w.Write(data) // the client is gone: nobody to tell
}

// encodeJSON writes lists that are nil as [], so that who reads them need not ask.
func encodeJSON(answer any) ([]byte, error) {
	var data bytes.Buffer
	e := json.NewEncoder(&data)
	e.SetEscapeHTML(false) // it is not HTML, and says so
	if v := reflect.ValueOf(answer); v.IsValid() {
		if filled, changed := fillLists(v); changed {
			answer = filled.Interface()
		}
	}
	if err := e.Encode(answer); err != nil {
		return nil, fmt.Errorf("encoding the answer: %w", err)
	}
	return data.Bytes(), nil
}

// fillLists is v with empty lists instead of nil ones, and whether it differs from v,
// which is left alone: engines may share what they answer.
func fillLists(v reflect.Value) (reflect.Value, bool) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return v, false
		}
		filled, changed := fillLists(v.Elem())
		if !changed {
			return v, false
		}
		p := reflect.New(v.Type().Elem())
		p.Elem().Set(filled)
		return p, true
	case reflect.Slice:
		return fillSlice(v)
	case reflect.Struct:
		return fillStruct(v)
	}
	return v, false
}

func fillSlice(v reflect.Value) (reflect.Value, bool) {
	switch v.Type().Elem().Kind() {
	case reflect.Uint8: // bytes are a string
		return v, false
	}
	if v.IsNil() {
		return reflect.MakeSlice(v.Type(), 0, 0), true
	}
	copied := reflect.Value{}
	for i := range v.Len() {
		filled, changed := fillLists(v.Index(i))
		if !changed {
			continue
		}
		if !copied.IsValid() {
			copied = reflect.MakeSlice(v.Type(), v.Len(), v.Len())
			reflect.Copy(copied, v)
		}
		copied.Index(i).Set(filled)
	}
	if !copied.IsValid() {
		return v, false
	}
	return copied, true
}

func fillStruct(v reflect.Value) (reflect.Value, bool) {
	copied := reflect.Value{}
	for i := range v.NumField() {
		if !v.Type().Field(i).IsExported() {
			continue
		}
		filled, changed := fillLists(v.Field(i))
		if !changed {
			continue
		}
		if !copied.IsValid() {
			copied = reflect.New(v.Type()).Elem()
			copied.Set(v)
		}
		copied.Field(i).Set(filled)
	}
	if !copied.IsValid() {
		return v, false
	}
	return copied, true
}
