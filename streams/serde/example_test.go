package serde_test

import (
	"fmt"

	"github.com/pabal-dev/pabal/streams/serde"
)

// A Serde for a type of one's own: two methods.
type celsius struct{}

func (celsius) Append(dst []byte, v float64) ([]byte, error) {
	return fmt.Appendf(dst, "%.1f°C", v), nil
}

func (celsius) Decode(data []byte) (v float64, err error) {
	if _, err = fmt.Sscanf(string(data), "%f°C", &v); err != nil {
		err = fmt.Errorf("expected a temperature such as 21.5°C, got %q", data)
	}
	return v, err
}

func Example() {
	var s serde.Serde[float64] = celsius{}
	data, _ := s.Append(nil, 21.5)
	fmt.Printf("%s\n", data)
	_, err := s.Decode([]byte("cold"))
	fmt.Println(err)

	_, err = serde.Int64().Decode([]byte{1, 2, 3})
	fmt.Println(err)
	// Output:
	// 21.5°C
	// expected a temperature such as 21.5°C, got "cold"
	// int64: expected 8 bytes, got 3
}
