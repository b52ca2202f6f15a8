"""What a test looks like in each framework: small models copy the form of an example and know few by name."""

from __future__ import annotations

import re
import textwrap

_SCRIPT = """\
test("usual case", () => {
  CHECK;
});
"""
_JUNIT = """\
class STEM {
    @Test
    void usualCase() {
        assertEquals(RESULT, NAME(ARGUMENTS));
    }
}
"""
_PLAIN_JAVA = """\
class STEM {
    public static void main(String[] arguments) {
        usualCase();
    }

    static void usualCase() {
        if (NAME(ARGUMENTS) != RESULT) throw new AssertionError("usual case");
    }
}
"""
_NUNIT = """\
public class STEM
{
    [FACT]
    public void UsualCase() => CHECK;
}
"""
_ASSERT = """\
void test_usual_case() {
    assert(NAME(ARGUMENTS) == RESULT);
}

int main() {
    test_usual_case();
    return 0;
}
"""
_FORMS = {
    "pytest": "def test_usual_case():\n    assert NAME(ARGUMENTS) == RESULT\n",
    "unittest": """\
class TestUsual(unittest.TestCase):
    def test_usual_case(self):
        self.assertEqual(NAME(ARGUMENTS), RESULT)
""",
    "node:test": _SCRIPT.replace("CHECK", "assert.deepEqual(NAME(ARGUMENTS), RESULT)"),
    "mocha": _SCRIPT.replace("test(", "it(").replace("CHECK", "assert.deepEqual(NAME(ARGUMENTS), RESULT)"),
    "ava": _SCRIPT.replace("()", "(t)").replace("CHECK", "t.deepEqual(NAME(ARGUMENTS), RESULT)"),
    **dict.fromkeys(("jest", "vitest"), _SCRIPT.replace("CHECK", "expect(NAME(ARGUMENTS)).toEqual(RESULT)")),
    "jasmine": _SCRIPT.replace("test(", "it(").replace("CHECK", "expect(NAME(ARGUMENTS)).toEqual(RESULT)"),
    "junit5": _JUNIT,
    "junit4": _JUNIT.replace("class", "public class").replace("void", "public void"),
    "testng": _JUNIT.replace("class", "public class").replace("void", "public void"),
    "#[test]": """\
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_case() {
        assert_eq!(NAME(ARGUMENTS), RESULT);
    }
}
""",
    "testing": """\
func TestUsualCase(t *testing.T) {
\tif got := NAME(ARGUMENTS); got != RESULT {
\t\tt.Errorf("got %v", got)
\t}
}
""",
    "googletest": "TEST(STEM, UsualCase) {\n    EXPECT_EQ(NAME(ARGUMENTS), RESULT);\n}\n",
    "catch2": 'TEST_CASE("usual case") {\n    REQUIRE(NAME(ARGUMENTS) == RESULT);\n}\n',
    "doctest": 'TEST_CASE("usual case") {\n    CHECK(NAME(ARGUMENTS) == RESULT);\n}\n',
    "xunit": _NUNIT.replace("FACT", "Fact").replace("CHECK", "Assert.Equal(RESULT, NAME(ARGUMENTS))"),
    "nunit": _NUNIT.replace("FACT", "Test").replace(
        "CHECK", "Assert.That(NAME(ARGUMENTS), Is.EqualTo(RESULT))"
    ),
    "mstest": _NUNIT.replace("FACT", "TestMethod").replace(
        "CHECK", "Assert.AreEqual(RESULT, NAME(ARGUMENTS))"
    ),
    "rspec": """\
describe "NAME" do
  it "usual case" do
    expect(NAME(ARGUMENTS)).to eq(RESULT)
  end
end
""",
    "minitest": """\
class STEM < Minitest::Test
  def test_usual_case
    assert_equal RESULT, NAME(ARGUMENTS)
  end
end
""",
    "phpunit": """\
class STEM extends TestCase
{
    public function testUsualCase(): void
    {
        $this->assertSame(RESULT, NAME(ARGUMENTS));
    }
}
""",
    "pest": "test('usual case', function () {\n    expect(NAME(ARGUMENTS))->toBe(RESULT);\n});\n",
}
ASSERT = "assert and a main function"
"""The framework of C and C++ without a framework."""
PLAIN_JAVA = "plain Java with a main method that throws AssertionError"
_FORMS |= {ASSERT: _ASSERT, PLAIN_JAVA: _PLAIN_JAVA}


def example(framework: str, name: str, stem: str) -> str:
    """Return one test of `name` without its imports; empty for a framework that is not known."""
    form = textwrap.dedent(_FORMS.get(framework, ""))
    title = re.sub(r"\W+", "_", stem)
    if framework == "minitest":  # a constant
        title = "".join(part[:1].upper() + part[1:] for part in title.split("_"))
    return form.replace("NAME", name or "subject").replace("STEM", title)
