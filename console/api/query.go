package api

import (
	"encoding/json"
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Queries are structs: a parameter is a field by its JSON name. Strings, numbers
// and true/false are written as they are, a list as the parameter repeated, and
// anything else as JSON.

// EncodeQuery writes the fields of a struct that are not empty.
func EncodeQuery(q any) (url.Values, error) {
	v := reflect.ValueOf(q)
	values := url.Values{}
	for _, f := range FieldsOf(v.Type()) {
		texts, err := encodeField(v.FieldByIndex(f.Index))
		if err != nil {
			return nil, BadField(f.Name, "%v", err)
		}
		if len(texts) > 0 {
			values[f.Name] = texts
		}
	}
	return values, nil
}

func encodeField(v reflect.Value) ([]string, error) {
	if v.IsZero() {
		return nil, nil
	}
	v = reflect.Indirect(v)
	if v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.String {
		texts := make([]string, v.Len())
		for i := range texts {
			texts[i] = v.Index(i).String()
		}
		return texts, nil
	}
	if scalar(v.Type()) {
		return []string{fmt.Sprint(v.Interface())}, nil
	}
	data, err := json.Marshal(v.Interface())
	return []string{string(data)}, err
}

// DecodeQuery fills in the struct that q points to. A parameter that is none of its
// fields, twice there without being a list, or not of the field's type is an error
// that names it. Fields in fixed cannot be given: they come from the path.
func DecodeQuery(values url.Values, q any, fixed ...string) error {
	v := reflect.ValueOf(q).Elem()
	fields := slices.DeleteFunc(slices.Clone(FieldsOf(v.Type())), func(f Field) bool { return slices.Contains(fixed, f.Name) })
	names := make([]string, 0, len(values))
	for name := range values {
		names = append(names, name)
	}
	slices.Sort(names) // so that the same request gets the same error
	for _, name := range names {
		i := slices.IndexFunc(fields, func(f Field) bool { return f.Name == name })
		if i < 0 {
			return BadField(name, "is not known here; %s", allowed(fields))
		}
		if err := decodeField(v.FieldByIndex(fields[i].Index), name, values[name]); err != nil {
			return err
		}
	}
	return nil
}

func allowed(fields []Field) string {
	if len(fields) == 0 {
		return "no parameters are allowed"
	}
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Name
	}
	return "allowed are " + strings.Join(names, ", ")
}

func decodeField(v reflect.Value, name string, texts []string) error {
	if v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.String {
		list := reflect.MakeSlice(v.Type(), len(texts), len(texts))
		for i, text := range texts {
			list.Index(i).SetString(text)
		}
		v.Set(list)
		return nil
	}
	if len(texts) != 1 {
		return BadField(name, "is given %d times, once is allowed", len(texts))
	}
	return DecodeValue(v, name, texts[0])
}

// DecodeValue sets a field, by name for the error, from a parameter's text; an empty
// one leaves it empty, as an HTML form does.
func DecodeValue(v reflect.Value, name, text string) error {
	if text == "" {
		return nil
	}
	if v.Kind() == reflect.Pointer {
		target := reflect.New(v.Type().Elem())
		if err := DecodeValue(target.Elem(), name, text); err != nil {
			return err
		}
		v.Set(target)
		return nil
	}
	if v.Kind() == reflect.String {
		v.SetString(text)
		return nil
	}
	if !scalar(v.Type()) {
		if err := json.Unmarshal([]byte(text), v.Addr().Interface()); err != nil {
			return BadField(name, "is not the JSON it should be: %v", err)
		}
		return nil
	}
	return decodeScalar(v, name, text)
}

func decodeScalar(v reflect.Value, name, text string) error {
	switch v.Kind() {
	case reflect.Bool:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return BadField(name, "%s is neither true nor false", quote(text))
		}
		v.SetBool(b)
	case reflect.Float64:
		x, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return BadField(name, "%s is not a number", quote(text))
		}
		v.SetFloat(x)
	default:
		n, err := strconv.ParseInt(text, 10, v.Type().Bits())
		if err != nil {
			return BadField(name, "%s is not a whole number of %d bits", quote(text), v.Type().Bits())
		}
		v.SetInt(n)
	}
	return nil
}

// quote shows what was sent, but not megabytes of it.
func quote(text string) string {
	const most = 64
	if len(text) > most {
		return strconv.QuoteToASCII(text[:most]) + "…"
	}
	return strconv.QuoteToASCII(text)
}

// scalar says whether a parameter of that type is plain text.
func scalar(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.String, reflect.Bool, reflect.Float64, reflect.Int, reflect.Int16, reflect.Int32, reflect.Int64:
		return true
	}
	return false
}
