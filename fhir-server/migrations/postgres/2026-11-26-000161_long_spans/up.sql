-- Spans that are longer than a day and a half, or of numbers than half of themselves or so, in the order of their first ends. All others
-- end soon after they begin, so that the order of last ends finds them by either end. The condition is written so in every statement
-- that reads the index; halves do not overflow.
CREATE INDEX span_of_start ON span (tenant, parameter, unit, first)
    WHERE (last >> 1) - (first >> 1) > CASE unit WHEN 0 THEN 67108864 ELSE 562949953421312 END;
