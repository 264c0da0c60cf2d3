import pytest

from embft.commands import doctor


@pytest.mark.slow
def test_it_says_what_there_is_and_never_a_secret(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    monkeypatch.setenv("WANDB_API_KEY", "also-secret")
    monkeypatch.delenv("WANDB_MODE", raising=False)
    status = doctor.main([])
    printed = capsys.readouterr().out
    assert "secret" not in printed
    for words in ("OPENAI_API_KEY  set", "minilm", "cpu", "tesseract", "online, if its server answers"):
        assert words in printed
    assert status == 0, printed


def test_a_missing_package_is_named_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    installed = doctor._version
    monkeypatch.setattr(doctor, "_version", lambda name: {"jieba": None, "bm25s": "0.1"}.get(name, installed(name)))
    assert doctor.main([]) == 1
    printed = " ".join(capsys.readouterr().out.split())
    assert "Broken: jieba>=0.42.1" in printed
    assert "0.1 is installed" in printed
    assert "pip install" in printed
