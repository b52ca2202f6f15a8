"""What a test looks like in each framework: small models copy the form of an example and know few by name."""

from __future__ import annotations

import re
import textwrap

from lsp_server.chat.new_files.sample_call import SampleCall

_PYTEST = """\
def test_simplest_case():
    assert NAME(ARGUMENTS) == RESULT


def test_small_case():
    assert NAME(ARGUMENTS) == RESULT
"""
_SCRIPT = """\
test("simplest case", () => {
  CHECK;
});
"""
_JUNIT = """\
class STEM {
    @Test
    void simplestCase() {
        assertEquals(RESULT, NAME(ARGUMENTS));
    }
}
"""
_PLAIN_JAVA = """\
class STEM {
    public static void main(String[] arguments) {
        simplestCase();
    }

    static void simplestCase() {
        if (NAME(ARGUMENTS) != RESULT) throw new AssertionError("simplest case");
    }
}
"""
_NUNIT = """\
public class STEM
{
    [FACT]
    public void SimplestCase()
    {
        CHECK;
    }
}
"""
_ASSERT = """\
void test_simplest_case() {
    assert(NAME(ARGUMENTS) == RESULT);
}

int main() {
    test_simplest_case();
    return 0;
}
"""
_FORMS = {
    "pytest": _PYTEST,
    "unittest": """\
class TestSimplest(unittest.TestCase):
    def test_simplest_case(self):
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
    fn simplest_case() {
        assert_eq!(NAME(ARGUMENTS), RESULT);
    }
}
""",
    "testing": """\
func TestSimplestCase(t *testing.T) {
\tif got := NAME(ARGUMENTS); got != RESULT { t.Errorf("got %v", got) }
}
""",
    "googletest": "TEST(STEM, SimplestCase) {\n    EXPECT_EQ(NAME(ARGUMENTS), RESULT);\n}\n",
    "catch2": 'TEST_CASE("simplest case") {\n    REQUIRE(NAME(ARGUMENTS) == RESULT);\n}\n',
    "doctest": 'TEST_CASE("simplest case") {\n    CHECK(NAME(ARGUMENTS) == RESULT);\n}\n',
    "xunit": _NUNIT.replace("FACT", "Fact").replace("CHECK", "Assert.Equal(RESULT, NAME(ARGUMENTS))"),
    "nunit": _NUNIT.replace("FACT", "Test").replace(
        "CHECK", "Assert.That(NAME(ARGUMENTS), Is.EqualTo(RESULT))"
    ),
    "mstest": _NUNIT.replace("FACT", "TestMethod").replace(
        "CHECK", "Assert.AreEqual(RESULT, NAME(ARGUMENTS))"
    ),
    "rspec": """\
describe "NAME" do
  it "simplest case" do
    expect(NAME(ARGUMENTS)).to eq(RESULT)
  end
end
""",
    "minitest": """\
class STEM < Minitest::Test
  def test_simplest_case
    assert_equal RESULT, NAME(ARGUMENTS)
  end
end
""",
    "phpunit": """\
class STEM extends TestCase
{
    public function testSimplestCase(): void
    {
        $this->assertSame(RESULT, NAME(ARGUMENTS));
    }
}
""",
    "pest": "test('simplest case', function () {\n    expect(NAME(ARGUMENTS))->toBe(RESULT);\n});\n",
}
_HASH = ("pytest", "unittest", "rspec", "minitest")
"""What is written with these has comments that begin with `#`."""
ASSERT = "assert and a main function"
"""The framework of C and C++ without a framework."""
PLAIN_JAVA = "plain Java with a main method that throws AssertionError"
_FORMS |= {ASSERT: _ASSERT, PLAIN_JAVA: _PLAIN_JAVA}


def example(framework: str, call: SampleCall, stem: str) -> str:
    """Return one test without its imports; empty for a framework that is not known.

    What it asserts stands in a comment, and is no code: small models copy what they could leave as it is.
    """
    form = textwrap.dedent(_FORMS.get(framework, ""))
    title = re.sub(r"\W+", "_", stem)
    if framework == "minitest":  # a constant
        title = "".join(part[:1].upper() + part[1:] for part in title.split("_"))
    mark = "#" if framework in _HASH else "//"
    form = re.sub(
        r"^([ \t]*)(.*ARGUMENTS)", rf"\1{mark} here an assertion like: \2", form, flags=re.MULTILINE
    )
    form = form.replace("STEM", title).replace("RESULT", "<expected>")
    return form.replace("NAME", call.subject or "subject").replace("ARGUMENTS", call.arguments)
