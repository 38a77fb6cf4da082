package mysql

import driver "github.com/go-mysql-org/go-mysql/mysql"

// query is a row of a query's result, and about how many bytes a record of it takes.
func (s *schemas) query(t *table, from []driver.FieldValue) (out []any, size int, err error) {
	out = make([]any, len(from))
	for i := range from {
		c := &t.columns[i]
		if c.codec == nil {
			continue
		}
		if out[i] = c.null; from[i].Type == driver.FieldValueTypeNull {
			continue
		}
		given := from[i].Value()
		if b, ok := given.([]byte); ok {
			size += 2 * len(b)
		}
		v, err := c.codec.Query(given)
		if out[i], err = s.fit(t, c, v, err); err != nil {
			return nil, 0, err
		}
	}
	return out, size, nil
}
